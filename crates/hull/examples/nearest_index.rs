//! Attention as a random-access memory: a value is stored at an address and fetched from it.
//!
//! Run with `cargo run -p weightware-hull --example nearest_index`.

#![allow(clippy::print_stdout)]

use weightware_hull::{Error, HullCache, KeyValueIndex, LinearCache, Point};

/// The key for an address. The query `(x, 1)` scores it `2ax - a² = x² - (x - a)²`, so that the
/// nearest address wins; the small last term lets the latest of several writes win.
fn key(address: f64, step: f64) -> Point {
    Point::new(2.0 * address, -address * address + step / 1024.0)
}

fn fill(cache: &mut impl KeyValueIndex) -> Result<(), Error> {
    let writes = [(3.0, 30.0), (7.0, 70.0), (3.0, 31.0), (4.0, 40.0)];
    for (step, (address, value)) in (0u8..).zip(writes) {
        cache.push(key(address, f64::from(step)), [value, address])?;
    }
    Ok(())
}

fn main() -> Result<(), Error> {
    let mut hull = HullCache::new();
    let mut scan = LinearCache::new();
    fill(&mut hull)?;
    fill(&mut scan)?;
    for x in [3.0, 4.0, 5.0, 7.0, 100.0] {
        let q = Point::new(x, 1.0);
        let [value, address] = hull.query(q)?;
        assert_eq!(hull.query(q)?, scan.query(q)?);
        println!("reading {x:>3}: {value} (written at {address})");
    }
    let [mean, _] = hull.query(Point::new(0.0, 0.0))?;
    println!("all keys tie for the query (0, 0): their mean is {mean}");
    println!(
        "{} keys pushed, {} can still win",
        hull.len(),
        hull.hull().vertices()
    );
    Ok(())
}
