//! A chart of time per token against trace length, as SVG: both axes logarithmic.

use std::fmt::Write;

use crate::log_axes::LogAxes;

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

/// Draws the chart; empty if no curve has points.
pub(crate) fn svg(title: &str, curves: &[Curve]) -> String {
    let points = || curves.iter().flat_map(|curve| &curve.points);
    let decades = |pick: fn(&(f64, f64)) -> f64| {
        let logs = || points().map(|point| pick(point).log10());
        let low = logs().fold(f64::INFINITY, f64::min).floor();
        [low as i32, logs().fold(low + 1.0, f64::max).ceil() as i32]
    };
    if points().next().is_none() {
        return String::new();
    }
    let (x, y) = (decades(|p| p.0), decades(|p| p.1));
    let axes = LogAxes {
        left: LEFT,
        top: TOP,
        width: WIDTH - LEFT - RIGHT,
        height: HEIGHT - TOP - BOTTOM,
        x,
        y,
    };

    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"13\">\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n\
         <text x=\"{}\" y=\"26\" text-anchor=\"middle\" font-size=\"15\">{title}</text>\n",
        WIDTH / 2.0
    );
    svg += &axes.grid();
    // Writing to a string cannot fail.
    let _ = writeln!(
        svg,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">tokens of the trace</text>",
        (LEFT + WIDTH - RIGHT) / 2.0,
        HEIGHT - 14.0
    );
    for (curve, color) in curves.iter().zip(COLORS.iter().cycle()) {
        svg += &axes.curve(&curve.points, color);
        if let Some(&(tokens, time)) = curve.points.last() {
            let _ = writeln!(
                svg,
                "<text x=\"{:.1}\" y=\"{:.1}\" fill=\"{color}\">{}</text>",
                axes.place_x(tokens) + 8.0,
                axes.place_y(time) + 4.0,
                curve.name
            );
        }
    }
    svg + "</svg>\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log_axes::time;

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
