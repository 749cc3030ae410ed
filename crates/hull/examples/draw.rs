//! Draws keys, their nested hulls, a query and its best keys, as SVG.
//!
//! ```text
//! cargo run -p weightware-hull --example draw -- crates/hull/doc/layers.svg
//! ```

#![allow(clippy::print_stdout)]

use std::fmt::Write;
use weightware_hull::{Error, Layers, Point, Top};

const SIZE: f64 = 360.0;
const KEYS: usize = 90;
const BEST: usize = 6;

/// A number from -1 to 1 that looks random, a function of `i`.
fn number(i: u32) -> f64 {
    let bits = (u64::from(i) + 7).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((bits ^ (bits >> 31)) >> 11) as f64 / 2f64.powi(52) - 1.0
}

/// Maps a point of the plane to the picture, where y points downwards.
fn place(p: Point) -> (f64, f64) {
    let half = SIZE / 2.0;
    (half + p.x * 0.8 * half, half - p.y * 0.8 * half)
}

fn draw() -> Result<String, Error> {
    let mut layers = Layers::new(7);
    let mut keys = vec![];
    for i in 0.. {
        let key = Point::new(number(2 * i), number(2 * i + 1));
        if key.x * key.x + key.y * key.y < 1.0 {
            layers.push(key)?;
            keys.push(key);
        }
        if keys.len() == KEYS {
            break;
        }
    }
    let q = Point::new(0.55, 0.8);
    let mut top = Top::new();
    layers.top(q, BEST, &mut top)?;

    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {SIZE} {SIZE}\" width=\"{SIZE}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"{SIZE}\" height=\"{SIZE}\" fill=\"white\"/>\n"
    );
    let mut put = |text: String| {
        // Writing to a string does not fail.
        let _ = writeln!(svg, "{text}");
    };
    for (depth, outline) in layers.outlines().enumerate() {
        let corners: Vec<String> = outline
            .iter()
            .map(|corner| {
                let (x, y) = place(corner.key);
                format!("{x:.1},{y:.1}")
            })
            .collect();
        let grey = 80 + 12 * depth;
        let width = if depth == 0 { 1.8 } else { 0.8 };
        put(format!(
            "<polygon points=\"{}\" fill=\"none\" stroke=\"rgb({grey},{grey},{})\" stroke-width=\"{width}\"/>",
            corners.join(" "),
            grey + 30,
        ));
    }
    for &key in &keys {
        let (x, y) = place(key);
        put(format!(
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"1.8\" fill=\"#555\"/>"
        ));
    }
    // The supporting line of the best key, normal to the query.
    let (x, y) = place(top[0].key);
    let (dx, dy) = (q.y * 90.0, q.x * 90.0);
    put(format!(
        "<path d=\"M{:.1} {:.1}L{:.1} {:.1}\" stroke=\"#c8553d\" stroke-dasharray=\"5 3\"/>",
        x - dx,
        y - dy,
        x + dx,
        y + dy,
    ));
    let (ox, oy) = place(Point::new(0.0, 0.0));
    let (tx, ty) = place(Point::new(q.x * 0.35, q.y * 0.35));
    put(format!(
        "<path d=\"M{ox:.1} {oy:.1}L{tx:.1} {ty:.1}\" stroke=\"#c8553d\" stroke-width=\"2.5\"/>\n\
         <text x=\"{:.1}\" y=\"{:.1}\" fill=\"#c8553d\" font-size=\"15\">q</text>",
        tx + 5.0,
        ty,
    ));
    for (rank, found) in (1..).zip(top.iter()) {
        let (x, y) = place(found.key);
        put(format!(
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4.5\" fill=\"#c8553d\"/>\n\
             <text x=\"{:.1}\" y=\"{:.1}\" fill=\"#c8553d\">{rank}</text>",
            x + 6.0,
            y - 5.0,
        ));
    }
    svg.push_str("</svg>\n");
    Ok(svg)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let svg = draw()?;
    match std::env::args().nth(1) {
        Some(path) => std::fs::write(path, svg)?,
        None => print!("{svg}"),
    }
    Ok(())
}
