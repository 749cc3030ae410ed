//! Lines over logarithmic axes, as SVG.

use std::fmt::Write;

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
/// The ranges of the axes, as powers of ten.
const X: (f64, f64) = (3.0, 7.0);
const Y: (f64, f64) = (0.0, 7.0);

/// Panels of lines, three in a row.
pub(crate) fn svg(panels: &[(&str, [Series; 4])]) -> String {
    let rows = panels.len().div_ceil(3) as f64;
    let (width, height) = (
        3.0 * (WIDTH + MARGIN) + 16.0,
        rows * (HEIGHT + 2.0 * MARGIN) + 40.0,
    );
    let mut out = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' font-family='sans-serif' font-size='11'>\n\
         <rect width='100%' height='100%' fill='white'/>\n"
    );
    let mut put = |text: String| {
        let _ = writeln!(out, "{text}");
    };
    for (i, (title, series)) in panels.iter().enumerate() {
        let left = (i % 3) as f64 * (WIDTH + MARGIN) + MARGIN;
        let top = (i / 3) as f64 * (HEIGHT + 2.0 * MARGIN) + MARGIN;
        let x = |n: f64| left + (n.log10() - X.0) / (X.1 - X.0) * WIDTH;
        let y = |ns: f64| top + HEIGHT - (ns.log10() - Y.0) / (Y.1 - Y.0) * HEIGHT;
        put(format!(
            "<text x='{left}' y='{}' font-size='13'>{title}</text>",
            top - 10.0
        ));
        for e in X.0 as i32..=X.1 as i32 {
            let at = x(10f64.powi(e));
            put(format!(
                "<path d='M{at} {top}V{}' stroke='#eee'/><text x='{at}' y='{}' text-anchor='middle'>10<tspan dy='-4' font-size='8'>{e}</tspan></text>",
                top + HEIGHT,
                top + HEIGHT + 16.0
            ));
        }
        for e in Y.0 as i32..=Y.1 as i32 {
            let at = y(10f64.powi(e));
            let label = [
                "1 ns", "10 ns", "100 ns", "1 µs", "10 µs", "100 µs", "1 ms", "10 ms",
            ][e as usize];
            put(format!(
                "<path d='M{left} {at}h{WIDTH}' stroke='#eee'/><text x='{}' y='{}' text-anchor='end'>{label}</text>",
                left - 4.0,
                at + 4.0
            ));
        }
        for (series, color) in series.iter().zip(COLORS) {
            let points: Vec<String> = series
                .points
                .iter()
                .map(|&(n, ns)| format!("{:.1},{:.1}", x(n), y(ns)))
                .collect();
            put(format!(
                "<polyline points='{}' fill='none' stroke='{color}' stroke-width='2'/>",
                points.join(" ")
            ));
            for &(n, ns) in &series.points {
                put(format!(
                    "<circle cx='{:.1}' cy='{:.1}' r='2.5' fill='{color}'/>",
                    x(n),
                    y(ns)
                ));
            }
        }
    }
    let names = panels.first().map_or(&[][..], |(_, series)| &series[..]);
    for (i, (series, color)) in names.iter().zip(COLORS).enumerate() {
        let (at, below) = (MARGIN + 130.0 * i as f64, height - 24.0);
        put(format!(
            "<path d='M{at} {below}h24' stroke='{color}' stroke-width='2'/><text x='{}' y='{}'>{}</text>",
            at + 30.0,
            below + 4.0,
            series.name
        ));
    }
    put(format!(
        "<text x='{}' y='{}'>nanoseconds per operation, pushes and queries in turn, over the number of keys</text>",
        MARGIN + 540.0,
        height - 20.0
    ));
    out.push_str("</svg>\n");
    out
}
