//! Panels of curves over logarithmic axes, as SVG.

use std::fmt::Write;

use crate::log_axes::LogAxes;

/// One curve of a panel.
pub(crate) struct Series {
    pub(crate) name: &'static str,
    /// The number of keys, and nanoseconds per operation.
    pub(crate) points: Vec<(f64, f64)>,
}

const COLORS: [&str; 4] = ["#1b6ca8", "#c8553d", "#6a994e", "#777777"];
const WIDTH: f64 = 300.0;
const HEIGHT: f64 = 220.0;
const MARGIN: f64 = 48.0;

/// Panels of lines, three in a row.
pub(crate) fn svg(panels: &[(&str, [Series; 4])]) -> String {
    let rows = panels.len().div_ceil(3) as f64;
    let (width, height) = (
        3.0 * (WIDTH + MARGIN) + 16.0,
        rows * (HEIGHT + 2.0 * MARGIN) + 40.0,
    );
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" \
         font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    // Writing to a string does not fail.
    let mut put = |text: String| {
        let _ = writeln!(out, "{text}");
    };
    for (i, (title, series)) in panels.iter().enumerate() {
        let axes = LogAxes {
            left: (i % 3) as f64 * (WIDTH + MARGIN) + MARGIN,
            top: (i / 3) as f64 * (HEIGHT + 2.0 * MARGIN) + MARGIN,
            width: WIDTH,
            height: HEIGHT,
            x: [3, 7],
            y: [0, 7],
        };
        put(format!(
            "<text x=\"{}\" y=\"{}\" font-size=\"13\">{title}</text>",
            axes.left,
            axes.top - 10.0
        ));
        put(axes.grid());
        for (series, color) in series.iter().zip(COLORS) {
            put(axes.curve(&series.points, color));
        }
    }
    let names = panels.first().map_or(&[][..], |(_, series)| &series[..]);
    for (i, (series, color)) in names.iter().zip(COLORS).enumerate() {
        let (at, below) = (MARGIN + 130.0 * i as f64, height - 24.0);
        put(format!(
            "<path d=\"M{at} {below}h24\" stroke=\"{color}\" stroke-width=\"2\"/><text x=\"{}\" y=\"{}\">{}</text>",
            at + 30.0,
            below + 4.0,
            series.name
        ));
    }
    put(format!(
        "<text x=\"{}\" y=\"{}\">nanoseconds per operation, pushes and queries in turn, over the number of keys</text>",
        MARGIN + 540.0,
        height - 20.0
    ));
    out.push_str("</svg>\n");
    out
}
