//! `sorting` against Rust's library.

use crate::driver::{Called, Calls, NOWHERE, Target, native_and_machine};
use crate::random::Random;
use crate::{args, bytes};

const ITEMS: u32 = 0;
const ORDER: u32 = 16 << 10;
const BUFFER: u32 = 32 << 10;
const KEY: u32 = 60 << 10;

/// The comparisons of the driver.
const ASCENDING: u32 = 0;
const DESCENDING: u32 = 1;
const BY_FIRST_BYTE: u32 = 2;

/// Arrays of many shapes: random, few values, sorted, reversed, organ pipes, all equal.
fn shaped(
    random: &mut Random,
    count: usize,
    mut value: impl FnMut(&mut Random) -> u64,
) -> Vec<u64> {
    let mut items: Vec<u64> = (0..count).map(|_| value(random)).collect();
    match random.below(8) {
        0 => items.sort_unstable(),
        1 => {
            items.sort_unstable();
            items.reverse();
        }
        2 => {
            items.sort_unstable();
            items[count / 2..].reverse();
        }
        3 => {
            let few: Vec<u64> = items.iter().take(3).copied().collect();
            items.fill_with(|| few[random.below(few.len())]);
        }
        4 => items.fill(0x8000_0000_7fff_ffff),
        _ => {}
    }
    items
}

/// The functions of one type of items, against slices of Rust; `$compare` is its order.
macro_rules! typed {
    ($calls:expr, $random:expr, $count:expr, $ty:ty, $name:literal, $from:expr, $compare:expr) => {{
        let (calls, random): (&mut Calls, &mut Random) = ($calls, $random);
        let compare = $compare;
        let n = $count as u32;
        let items: Vec<$ty> = shaped(random, $count, |r| r.wide())
            .into_iter()
            .map($from)
            .collect();
        let mut sorted = items.clone();
        sorted.sort_by(compare);
        let whole = bytes!(items);
        calls.write(ITEMS, &whole);
        let is_sorted = i32::from(items.is_sorted_by(|a, b| compare(a, b).is_le()));
        calls.returns(concat!("is_sorted_", $name), args![ITEMS, n], is_sorted);
        let mut order: Vec<u32> = (0..n).collect();
        order.sort_by(|&a, &b| compare(&items[a as usize], &items[b as usize]));
        calls.call(concat!("argsort_", $name), args![ITEMS, n, ORDER, BUFFER]);
        calls.reads(ORDER, &bytes!(order));
        calls.call(concat!("sort_", $name), args![ITEMS, n]);
        calls.reads(ITEMS, &bytes!(sorted));
        for _ in 0..3 {
            let value = match random.below(2) {
                0 => $from(random.wide()),
                _ => items
                    .get(random.below($count.max(1)))
                    .copied()
                    .unwrap_or_default(),
            };
            let below = sorted.partition_point(|item| compare(item, &value).is_lt()) as u32;
            calls.returns(
                concat!("lower_bound_", $name),
                args![ITEMS, n, value],
                below,
            );
            let within = sorted.partition_point(|item| compare(item, &value).is_le()) as u32;
            calls.returns(
                concat!("upper_bound_", $name),
                args![ITEMS, n, value],
                within,
            );
        }
        calls.write(ITEMS, &whole);
        let at = random.below($count + 1);
        let selected = sorted.get(at).copied().unwrap_or_default();
        calls.returns(
            concat!("select_", $name),
            args![ITEMS, n, at as u32],
            selected,
        );
        if at < $count {
            calls.reads_with(ITEMS, whole.len(), move |found| {
                let found: Vec<$ty> = found
                    .chunks(size_of::<$ty>())
                    .map(|item| <$ty>::from_le_bytes(item.try_into().expect("an item")))
                    .collect();
                let is_split = found[..at]
                    .iter()
                    .all(|item| compare(item, &selected).is_le())
                    && found[at..]
                        .iter()
                        .all(|item| compare(item, &selected).is_ge());
                let mut resorted = found;
                resorted.sort_by(compare);
                match is_split && bytes!(resorted) == bytes!(sorted) {
                    true => Ok(()),
                    false => Err("the items are not split at n".into()),
                }
            });
        }
    }};
}

fn numbers(calls: &mut Calls, random: &mut Random, count: usize) {
    typed!(calls, random, count, i32, "i32", |v| v as i32, i32::cmp);
    typed!(calls, random, count, u32, "u32", |v| v as u32, u32::cmp);
    typed!(calls, random, count, i64, "i64", |v| v as i64, i64::cmp);
    typed!(
        calls,
        random,
        count,
        f64,
        "f64",
        f64::from_bits,
        f64::total_cmp
    );
}

/// Records of a byte, which is the key, and others that must travel with it.
fn records(calls: &mut Calls, random: &mut Random, count: usize) {
    let n = count as u32;
    let size = [1, 3, 4, 8, 12][random.below(5)];
    let mut items: Vec<Vec<u8>> = (0..count).map(|_| random.bytes(size)).collect();
    for item in &mut items {
        item[0] %= 7;
    }
    let whole = items.concat();
    calls.write(ITEMS, &whole);
    calls.call(
        "merge_sort",
        args![ITEMS, n, size as u32, BUFFER, BY_FIRST_BYTE],
    );
    let mut sorted = items.clone();
    sorted.sort_by_key(|item| item[0]);
    calls.reads(ITEMS, &sorted.concat());
    for key in 0..8u8 {
        calls.write(KEY, &[key]);
        let place = sorted.iter().position(|item| item[0] == key);
        if place.is_none() {
            let arguments = args![KEY, ITEMS, n, size as u32, BY_FIRST_BYTE];
            calls.returns("bsearch", arguments, NOWHERE);
        }
    }
    calls.write(ITEMS, &whole);
    calls.call("qsort", args![ITEMS, n, size as u32, BY_FIRST_BYTE]);
    calls.reads_with(ITEMS, whole.len(), move |found| {
        let mut found: Vec<Vec<u8>> = found.chunks(size).map(<[u8]>::to_vec).collect();
        let ascends = found.is_sorted_by_key(|item| item[0]);
        found.sort();
        let mut items = items.clone();
        items.sort();
        match ascends && found == items {
            true => Ok(()),
            false => Err("not sorted, or other records".into()),
        }
    });
}

fn words(calls: &mut Calls, random: &mut Random, count: usize) {
    let n = count as u32;
    let mut items: Vec<i32> = shaped(random, count, Random::wide)
        .iter()
        .map(|&v| v as i32)
        .collect();
    calls.write(ITEMS, &bytes!(items));
    calls.call("reverse_32", args![ITEMS, n]);
    items.reverse();
    calls.reads(ITEMS, &bytes!(items));
    for (callback, descending) in [(DESCENDING, true), (ASCENDING, false)] {
        calls.call("qsort", args![ITEMS, n, 4, callback]);
        items.sort_unstable();
        if descending {
            items.reverse();
        }
        calls.reads(ITEMS, &bytes!(items));
    }
    items.dedup();
    calls.returns("unique_32", args![ITEMS, n], items.len() as u32);
    calls.reads(ITEMS, &bytes!(items));
    for at in 0..items.len().min(5) {
        calls.write(KEY, &items[at].to_le_bytes());
        let arguments = args![KEY, ITEMS, items.len() as u32, 4, ASCENDING];
        calls.returns("bsearch", arguments, ITEMS + 4 * at as u32);
    }
    let mut items = shaped(random, count, |r| r.wide() % 3);
    calls.write(ITEMS, &bytes!(items));
    calls.call("reverse_64", args![ITEMS, n]);
    items.reverse();
    calls.reads(ITEMS, &bytes!(items));
    items.dedup();
    calls.returns("unique_64", args![ITEMS, n], items.len() as u32);
    calls.reads(ITEMS, &bytes!(items));
}

pub(crate) fn all(target: Target) -> Called {
    let mut random = Random::new(1);
    let mut calls = Calls::new("sorting", target);
    let lengths: Vec<usize> = match target {
        Target::Native => (0..70).chain([100, 256, 1000, 1024, 2000]).collect(),
        Target::Machine => vec![0, 1, 2, 13, 40],
        Target::Imported => vec![0, 1, 2, 20],
    };
    for &count in &lengths {
        for _ in 0..target.cases(6, 1) {
            numbers(&mut calls, &mut random, count);
            records(&mut calls, &mut random, count.min(1000));
            words(&mut calls, &mut random, count);
        }
    }
    calls.run()
}

native_and_machine!(all);

/// Musser's sequence, in which each median of three is the second least item, makes quicksort
/// quadratic. The items are sorted by the heap instead.
#[test]
fn arrays_against_quicksort_stay_fast() {
    let mut calls = Calls::new("sorting", Target::Native);
    let count = 2000u32;
    let half = count / 2;
    let killer = (0..count).map(|i| match i {
        i if i < half && i % 2 == 0 => i + 1,
        i if i < half => half + i - 1 + half % 2,
        i => (i - half + 1) * 2,
    });
    let mut items: Vec<i32> = killer.map(|item| item as i32).collect();
    calls.write(ITEMS, &bytes!(items));
    calls.call("sort_i32", args![ITEMS, count]);
    items.sort_unstable();
    calls.reads(ITEMS, &bytes!(items));
    calls.run();
}
