//! Logarithmic axes for times, and curves over them, as SVG elements.
//!
//! The chart of `cargo xtask bench` uses this file, too.

/// A rectangle of a picture in which powers of ten are evenly spaced, and times go upwards.
pub(crate) struct LogAxes {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
    /// The exponents of the first and the last power of ten from left to right.
    pub(crate) x: [i32; 2],
    /// The exponents of the first and the last power of ten, in nanoseconds, from below.
    pub(crate) y: [i32; 2],
}

impl LogAxes {
    /// The horizontal place of a number.
    pub(crate) fn place_x(&self, number: f64) -> f64 {
        self.left + self.width * share(number, self.x)
    }

    /// The vertical place of a time in nanoseconds.
    pub(crate) fn place_y(&self, time: f64) -> f64 {
        self.top + self.height * (1.0 - share(time, self.y))
    }

    /// A line and a label for each power of ten.
    pub(crate) fn grid(&self) -> String {
        let (bottom, right) = (self.top + self.height, self.left + self.width);
        let mut svg = String::new();
        for decade in self.x[0]..=self.x[1] {
            let at = self.place_x(10_f64.powi(decade));
            svg += &format!(
                "<path d=\"M{at:.1} {:.1}V{bottom:.1}\" stroke=\"#ddd\"/><text x=\"{at:.1}\" y=\"{:.1}\" \
                 text-anchor=\"middle\">10<tspan dy=\"-0.4em\" font-size=\"0.75em\">{decade}</tspan></text>\n",
                self.top,
                bottom + 18.0,
            );
        }
        for decade in self.y[0]..=self.y[1] {
            let at = self.place_y(10_f64.powi(decade));
            svg += &format!(
                "<path d=\"M{:.1} {at:.1}H{right:.1}\" stroke=\"#ddd\"/><text x=\"{:.1}\" y=\"{:.1}\" \
                 text-anchor=\"end\">{}</text>\n",
                self.left,
                self.left - 6.0,
                at + 4.0,
                time(decade),
            );
        }
        svg
    }

    /// A line through points of a number and a time in nanoseconds, with a dot at each.
    pub(crate) fn curve(&self, points: &[(f64, f64)], color: &str) -> String {
        let places = points
            .iter()
            .map(|&(number, time)| (self.place_x(number), self.place_y(time)));
        let line: Vec<String> = places
            .clone()
            .map(|(x, y)| format!("{x:.1},{y:.1}"))
            .collect();
        let mut svg = format!(
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"/>\n",
            line.join(" ")
        );
        for (x, y) in places {
            svg += &format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{color}\"/>\n");
        }
        svg
    }
}

/// The share of a range of powers of ten that is below a number.
fn share(number: f64, [low, high]: [i32; 2]) -> f64 {
    (number.log10() - f64::from(low)) / f64::from(high - low)
}

/// `10^decade` nanoseconds, in words.
pub(crate) fn time(decade: i32) -> String {
    let decade = decade.clamp(0, 11) as u32;
    let unit = ["ns", "µs", "ms", "s"][(decade / 3) as usize];
    format!("{} {unit}", 10_i32.pow(decade % 3))
}
