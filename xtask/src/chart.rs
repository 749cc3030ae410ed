//! A chart of time per token against trace length, as SVG: both axes logarithmic.

use std::fmt::Write;

/// Points of one engine: tokens, nanoseconds per token.
pub(crate) struct Curve {
    pub(crate) name: &'static str,
    pub(crate) points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 440.0;
const LEFT: f64 = 80.0;
const RIGHT: f64 = 90.0;
const TOP: f64 = 50.0;
const BOTTOM: f64 = 60.0;

const COLORS: [&str; 4] = ["#b3261e", "#1f6fb2", "#2e7d32", "#6a4c93"];

/// The chart; empty if no curve has points.
pub(crate) fn svg(title: &str, curves: &[Curve]) -> String {
    let points = || curves.iter().flat_map(|curve| &curve.points);
    let decades = |pick: fn(&(f64, f64)) -> f64| {
        let logs = || points().map(|point| pick(point).log10());
        let low = logs().fold(f64::INFINITY, f64::min).floor();
        (low, logs().fold(low + 1.0, f64::max).ceil())
    };
    if points().next().is_none() {
        return String::new();
    }
    let (x_low, x_high) = decades(|p| p.0);
    let (y_low, y_high) = decades(|p| p.1);
    let x =
        |tokens: f64| LEFT + (tokens.log10() - x_low) / (x_high - x_low) * (WIDTH - LEFT - RIGHT);
    let y = |time: f64| {
        HEIGHT - BOTTOM - (time.log10() - y_low) / (y_high - y_low) * (HEIGHT - TOP - BOTTOM)
    };

    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"13\">\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n\
         <text x=\"{}\" y=\"26\" text-anchor=\"middle\" font-size=\"15\">{title}</text>\n",
        WIDTH / 2.0
    );
    // Writing to a string cannot fail.
    for decade in x_low as i32..=x_high as i32 {
        let at = x(10_f64.powi(decade));
        let _ = writeln!(
            svg,
            "<path d=\"M{at:.1} {TOP}V{:.1}\" stroke=\"#ddd\"/><text x=\"{at:.1}\" y=\"{:.1}\" \
             text-anchor=\"middle\">10<tspan dy=\"-5\" font-size=\"10\">{decade}</tspan></text>",
            HEIGHT - BOTTOM,
            HEIGHT - BOTTOM + 20.0
        );
    }
    for decade in y_low as i32..=y_high as i32 {
        let at = y(10_f64.powi(decade));
        let _ = writeln!(
            svg,
            "<path d=\"M{LEFT} {at:.1}H{:.1}\" stroke=\"#ddd\"/><text x=\"{:.1}\" y=\"{:.1}\" \
             text-anchor=\"end\">{}</text>",
            WIDTH - RIGHT,
            LEFT - 8.0,
            at + 4.0,
            time(decade)
        );
    }
    let _ = writeln!(
        svg,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">tokens of the trace</text>",
        (LEFT + WIDTH - RIGHT) / 2.0,
        HEIGHT - 14.0
    );
    for (curve, color) in curves.iter().zip(COLORS.iter().cycle()) {
        let place = |&(tokens, time): &(f64, f64)| format!("{:.1},{:.1}", x(tokens), y(time));
        let line: Vec<String> = curve.points.iter().map(place).collect();
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"/>",
            line.join(" ")
        );
        for &(tokens, time) in &curve.points {
            let _ = writeln!(
                svg,
                "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\" fill=\"{color}\"/>",
                x(tokens),
                y(time)
            );
        }
        if let Some(&(tokens, time)) = curve.points.last() {
            let _ = writeln!(
                svg,
                "<text x=\"{:.1}\" y=\"{:.1}\" fill=\"{color}\">{}</text>",
                x(tokens) + 8.0,
                y(time) + 4.0,
                curve.name
            );
        }
    }
    svg + "</svg>\n"
}

/// `10^decade` nanoseconds, in words.
fn time(decade: i32) -> String {
    let unit = ["ns", "µs", "ms", "s"][(decade.clamp(0, 11) / 3) as usize];
    format!("{} {unit}", 10_i32.pow((decade.clamp(0, 11) % 3) as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_point_is_drawn_inside() {
        let curves = [
            Curve {
                name: "flat",
                points: vec![(1e3, 150.0), (1e7, 160.0)],
            },
            Curve {
                name: "linear",
                points: vec![(1e3, 2e6)],
            },
        ];
        let svg = svg("time per token", &curves);
        assert_eq!(svg.matches("<circle").count(), 3);
        for at in svg.split("cx=\"").skip(1) {
            let at: f64 = at.split('"').next().unwrap().parse().unwrap();
            assert!((LEFT..=WIDTH - RIGHT + 0.1).contains(&at));
        }
        assert_eq!([2, 3, 6, 9].map(time), ["100 ns", "1 µs", "1 ms", "1 s"]);
        assert_eq!(super::svg("nothing", &[]), "");
    }
}
