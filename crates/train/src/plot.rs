//! Line plots as SVG.

use std::fmt::Write;

/// A plot of lines over two axes.
#[derive(Debug, Clone, PartialEq)]
pub struct Plot {
    /// Above the plot.
    pub title: String,
    /// Below the horizontal axis.
    pub x: String,
    /// Beside the vertical axis.
    pub y: String,
    /// Whether the horizontal axis is logarithmic, in powers of 2.
    pub logarithmic_x: bool,
    /// The lines.
    pub series: Vec<Series>,
}

/// A line of a plot.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Its name in the legend.
    pub name: String,
    /// Its points, in order.
    pub points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 360.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 150.0;
const TOP: f64 = 36.0;
const BOTTOM: f64 = 48.0;
/// Okabe and Ito's colours, which people with any colour vision tell apart.
const COLOURS: [&str; 8] = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999",
];

impl Plot {
    /// The picture. Points that are not finite are left out.
    #[must_use]
    pub fn svg(&self) -> String {
        let place = |x: f64| if self.logarithmic_x { x.log2() } else { x };
        let lines: Vec<Vec<(f64, f64)>> = self
            .series
            .iter()
            .map(|series| {
                let points = series.points.iter().map(|&(x, y)| (place(x), y));
                points
                    .filter(|(x, y)| x.is_finite() && y.is_finite())
                    .collect()
            })
            .collect();
        let (left, right) = range(lines.iter().flatten().map(|point| point.0));
        let (low, high) = range(lines.iter().flatten().map(|point| point.1));
        let to_x = |x: f64| LEFT + (x - left) / (right - left) * (WIDTH - LEFT - RIGHT);
        let to_y = |y: f64| HEIGHT - BOTTOM - (y - low) / (high - low) * (HEIGHT - TOP - BOTTOM);

        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
             font-family=\"sans-serif\" font-size=\"12\">\n\
             <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n"
        );
        let middle = (LEFT + WIDTH - RIGHT) / 2.0;
        text(&mut svg, middle, TOP - 16.0, "middle", &self.title);
        text(&mut svg, middle, HEIGHT - 10.0, "middle", &self.x);
        text(&mut svg, 8.0, TOP - 16.0, "start", &self.y);
        let x_ticks = if self.logarithmic_x {
            let (from, to) = (left.ceil() as i32, right.floor() as i32);
            (from..=to).map(f64::from).collect()
        } else {
            ticks(left, right)
        };
        for tick in x_ticks {
            let x = to_x(tick);
            rule(&mut svg, [x, TOP, x, HEIGHT - BOTTOM]);
            let label = if self.logarithmic_x {
                tick.exp2()
            } else {
                tick
            };
            text(
                &mut svg,
                x,
                HEIGHT - BOTTOM + 16.0,
                "middle",
                &number(label),
            );
        }
        for tick in ticks(low, high) {
            let y = to_y(tick);
            rule(&mut svg, [LEFT, y, WIDTH - RIGHT, y]);
            text(&mut svg, LEFT - 6.0, y + 4.0, "end", &number(tick));
        }
        for (i, (line, series)) in lines.iter().zip(&self.series).enumerate() {
            let colour = COLOURS[i % COLOURS.len()];
            let dash = if i >= COLOURS.len() {
                " stroke-dasharray=\"5 3\""
            } else {
                ""
            };
            let mut points = String::new();
            for &(x, y) in line {
                let _ = write!(points, "{:.1},{:.1} ", to_x(x), to_y(y));
            }
            let _ = writeln!(
                svg,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" \
                 stroke-width=\"1.8\"{dash}/>",
                points.trim_end()
            );
            if line.len() <= 32 {
                for &(x, y) in line {
                    let (x, y) = (to_x(x), to_y(y));
                    let _ = writeln!(
                        svg,
                        "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>"
                    );
                }
            }
            let y = TOP + 8.0 + 18.0 * i as f64;
            let x = WIDTH - RIGHT + 12.0;
            let _ = writeln!(
                svg,
                "<line x1=\"{x}\" y1=\"{y}\" x2=\"{}\" y2=\"{y}\" stroke=\"{colour}\" \
                 stroke-width=\"2\"{dash}/>",
                x + 18.0
            );
            text(&mut svg, x + 24.0, y + 4.0, "start", &series.name);
        }
        svg.push_str("</svg>\n");
        svg
    }
}

/// The least and the greatest number, apart from one another.
fn range(numbers: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = numbers.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| {
        (low.min(x), high.max(x))
    });
    match (low.is_finite(), high > low) {
        (true, true) => (low, high),
        (true, false) => (low - 0.5, low + 0.5),
        _ => (0.0, 1.0),
    }
}

/// Multiples of 1, 2 or 5 times a power of ten within a range, at most eight.
fn ticks(low: f64, high: f64) -> Vec<f64> {
    let rough = (high - low) / 8.0;
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .map(|m| m * power)
        .into_iter()
        .find(|&step| step >= rough);
    let step = step.unwrap_or(10.0 * power);
    let (from, to) = ((low / step).ceil() as i64, (high / step).floor() as i64);
    (from..=to).take(16).map(|i| i as f64 * step).collect()
}

fn number(x: f64) -> String {
    let text = format!("{x:.4}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

fn rule(svg: &mut String, [x1, y1, x2, y2]: [f64; 4]) {
    let _ = writeln!(
        svg,
        "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"#ddd\"/>"
    );
}

fn text(svg: &mut String, x: f64, y: f64, anchor: &str, content: &str) {
    let content = content.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{content}</text>"
    );
}
