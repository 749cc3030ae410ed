#![allow(clippy::print_stdout, missing_docs)]
use weightware_benches::{endless, record};
use weightware_hull::{Hint, HullIndex, Winners};
fn main() {
    let recordings = record::record(&endless(), 100_000);
    for r in &recordings {
        println!("{:?} x{}", r.heads[0], r.heads.len());
        for k in &r.keys[60_000..60_012] { print!("{:?} ", (k.x, k.y)); }
        println!();
        for (s, qs) in r.queries.iter().enumerate() {
            let mut index = HullIndex::new();
            let mut hint = Hint::default();
            let mut last = 0i64;
            let mut h = [0u32; 8];
            for (t, &q) in qs.iter().enumerate() {
                let _ = index.push(r.keys[t]).unwrap();
                let w = match index.winners(q, &mut hint).unwrap() { Winners::One(s) => i64::from(s), Winners::Many(s) => {h[6]+=1; i64::from(s[0])}, _ => {h[7]+=1; last} };
                let d = w - last;
                let k = match d { 0 => 0, 1 => 1, -1 => 2, -16..=16 => 3, -256..=256 => 4, _ => 5 };
                h[k] += 1;
                last = w;
            }
            println!("  {s}: same {} +1 {} -1 {} 16 {} 256 {} far {} many {} all {}  {:?}", h[0],h[1],h[2],h[3],h[4],h[5],h[6],h[7], &qs[60_000..60_004].iter().map(|q|(q.x,q.y)).collect::<Vec<_>>());
        }
    }
}
