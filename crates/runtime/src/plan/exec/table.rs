//! Paged direct-address table of keys `(2 j, -j^2 + lift)` by j, with hierarchical bitmaps that
//! find the nearest key of a j that has none.

use std::cmp::Ordering;

use weightware_hull::{Point, compare_scores, two_sum};

use crate::key_box::FAR;
use crate::plan::float::{round, whole};

/// The greatest |j|, so that squares are exact, and pages are few.
const LARGEST: f64 = (1 << 22) as f64;

/// The greatest lift, so that the rounding of a quotient cannot change the winner.
const HIGHEST: f64 = 1.0 - 1.0 / (1 << 20) as f64;

/// Keys per page.
const PAGE: usize = 256;

/// The number of pages of all possible keys.
const PAGES: usize = 2 * (1 << 22) / PAGE + 1;

/// The place of a key: its page times [`PAGE`], plus its place in the page.
pub(crate) type Entry = u32;

/// In the entry of two keys on either side of a query whose scores are equal, with the entry of the
/// lower one.
const BOTH: Entry = 1 << 30;

/// The error of a table that cannot hold a key or answer a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// A key is not of the table's kind, or keys that were left out might win.
    Keys,
    /// Keys tie, and their values differ.
    Tie,
}

/// A table of keys: for each j the key of the greatest lift, and its values.
///
/// All lifts are at least 0 and less than 1. So the nearer one of two keys to a query wins for any
/// lifts if their squared distances differ by at least 1, and on either side of the query only the
/// nearest key can win.
#[derive(Debug)]
pub(crate) struct Table {
    /// The distance below the parabola at which keys are left out.
    cleared: f64,
    /// The distance below the parabola of all keys that were left out so far: [`FAR`], or `cleared`
    /// from the first nearer key on.
    depth: f64,
    /// The index of each page plus 1, by the page's number; empty before the first key.
    pages: Vec<u32>,
    lifts: Vec<[f64; PAGE]>,
    /// The values of keys, by value, then by entry.
    values: Vec<Vec<f64>>,
    /// A bitmap of the present keys of each page.
    present: Vec<[u64; PAGE / 64]>,
    /// A bitmap of the present pages, by number.
    present_pages: Vec<u64>,
    /// A bitmap of the nonzero words of `present_pages`.
    present_words: Vec<u64>,
    /// The number of each page, by index.
    numbers: Vec<u32>,
    /// Keys that tie and have different values: j and lift. They are not present. No answer may
    /// depend on one.
    tied: Vec<(f64, f64)>,
    /// If keys that tie are averaged: the keys of each entry that tie.
    averages: Option<Averages>,
}

/// The number of keys that tie, and the sum of each of their values, by entry.
#[derive(Debug)]
struct Averages {
    counts: Vec<f64>,
    sums: Vec<Vec<f64>>,
}

impl Table {
    pub(crate) fn new(values: usize, cleared: f64, averages: bool) -> Self {
        Self {
            averages: averages.then(|| Averages {
                counts: Vec::new(),
                sums: vec![Vec::new(); values],
            }),
            cleared,
            depth: cleared.max(FAR),
            pages: Vec::new(),
            lifts: Vec::new(),
            values: vec![Vec::new(); values],
            present: Vec::new(),
            present_pages: Vec::new(),
            present_words: Vec::new(),
            numbers: Vec::new(),
            tied: Vec::new(),
        }
    }

    /// The j and the lift of a key. `None` if it lies so far below the parabola that it is left
    /// out.
    #[inline]
    pub(crate) fn parse(&mut self, x: f64, y: f64) -> Result<Option<(f64, f64)>, Unfit> {
        let j = x * 0.5;
        // Squares of integers up to 2^26 are exact. For other numbers, the sum is close enough to
        // prove that the key is low.
        let square = j * j;
        let (lift, error) = two_sum(y, square);
        let highest = lift + square * 1e-15;
        if highest < -2.0 * self.cleared {
            if highest >= -2.0 * self.depth {
                self.omits_near();
            }
            return Ok(None);
        }
        let is_whole = j.abs() <= LARGEST && j == round(j);
        let is_exact = error == 0.0;
        if is_whole && is_exact && (0.0..=HIGHEST).contains(&lift) {
            Ok(Some((j, lift)))
        } else {
            Err(Unfit::Keys)
        }
    }

    /// Notes that keys are left out that lie less than [`FAR`] below the parabola.
    pub(crate) fn omits_near(&mut self) {
        self.depth = self.cleared;
    }

    /// Inserts a key of [`parse`](Self::parse). The table keeps the key of the greatest lift for
    /// each j, and the average of several.
    #[inline]
    pub(crate) fn insert(
        &mut self,
        j: f64,
        lift: f64,
        values: impl Iterator<Item = f64>,
    ) -> Result<(), Unfit> {
        let index = whole(j + LARGEST);
        let (number, place) = (index / PAGE, index % PAGE);
        if self.pages.is_empty() {
            self.pages = vec![0; PAGES];
            self.present_pages = vec![0; PAGES.div_ceil(64)];
            self.present_words = vec![0; self.present_pages.len().div_ceil(64)];
        }
        if self.pages[number] == 0 {
            self.add_page(number);
        }
        let page = self.pages[number] as usize - 1;
        let bit = 1 << (place % 64);
        let word = &mut self.present[page][place / 64];
        let entry = page * PAGE + place;
        let old = &mut self.lifts[page][place];
        if *word & bit != 0 && lift <= *old {
            if lift < *old {
                return Ok(());
            }
            if let Some(averages) = &mut self.averages
                && lift == *old
            {
                return averages.add(&mut self.values, entry, values);
            }
            // Equal keys tie, which matters unless their values are equal.
            let mut same = true;
            for (column, value) in self.values.iter().zip(values) {
                same &= column[entry] == value;
            }
            if !same {
                *word &= !bit;
                self.tied.push((j, lift));
            }
            return Ok(());
        }
        if *word & bit == 0 && !self.tied.is_empty() {
            if self.tied.iter().any(|&(at, its)| at == j && its >= lift) {
                return Ok(());
            }
            self.tied.retain(|&(at, _)| at != j);
        }
        *word |= bit;
        *old = lift;
        for (column, value) in self.values.iter_mut().zip(values) {
            column[entry] = value;
        }
        if let Some(averages) = &mut self.averages {
            averages.begin(&self.values, entry);
        }
        Ok(())
    }

    #[cold]
    fn add_page(&mut self, number: usize) {
        self.numbers.push(number as u32);
        self.pages[number] = self.numbers.len() as u32;
        self.present_pages[number / 64] |= 1 << (number % 64);
        self.present_words[number / 4096] |= 1 << (number / 64 % 64);
        self.lifts.push([0.0; PAGE]);
        self.present.push([0; PAGE / 64]);
        let averages = self.averages.iter_mut();
        let averages = averages.flat_map(|all| all.sums.iter_mut().chain([&mut all.counts]));
        for column in self.values.iter_mut().chain(averages) {
            column.resize(column.len() + PAGE, 0.0);
        }
    }

    /// The entry of the greatest score.
    #[inline]
    pub(crate) fn find(&self, query: Point) -> Result<Entry, Unfit> {
        if query.y <= 0.0 || self.pages.is_empty() {
            return Err(Unfit::Keys);
        }
        let q = query.x / query.y;
        let is_whole = q == round(q) && q * query.y == query.x;
        match self.at(q).filter(|_| is_whole) {
            Some(entry) => Ok(entry),
            None => self.nearest(query, q),
        }
    }

    /// The entry of the greatest score for the query `(q, 1)` with an integer q.
    #[inline]
    pub(crate) fn find_whole(&self, q: f64) -> Result<Entry, Unfit> {
        match self.at(q) {
            Some(entry) => Ok(entry),
            None => self.find(Point::new(q, 1.0)),
        }
    }

    /// The entry of the integer that `q` is or is near to, if there is a key.
    #[inline]
    fn at(&self, q: f64) -> Option<Entry> {
        if q.is_nan() || q.abs() > LARGEST {
            return None;
        }
        let index = whole(q + LARGEST);
        let page = self.pages.get(index / PAGE)?.checked_sub(1)? as usize;
        let place = index % PAGE;
        let is_present = self.present[page][place / 64] & 1 << (place % 64) != 0;
        is_present.then_some((page * PAGE + place) as Entry)
    }

    #[inline(never)]
    fn nearest(&self, query: Point, q: f64) -> Result<Entry, Unfit> {
        // Keys that were left out must not win: the winner's squared distance must be less than
        // their distance below the parabola.
        if q.is_nan() || q.abs() > LARGEST + self.depth {
            return Err(Unfit::Keys);
        }
        let floor = (q.floor() + LARGEST).clamp(0.0, 2.0 * LARGEST) as usize;
        let below = if q.floor() < -LARGEST {
            None
        } else {
            self.last_up_to(floor)
        };
        let above = if q.floor() >= LARGEST {
            None
        } else if q.floor() < -LARGEST {
            self.first_from(0)
        } else {
            self.first_from(floor + 1)
        };
        let j = |entry: usize| {
            let index = self.numbers[entry / PAGE] as usize * PAGE + entry % PAGE;
            index as f64 - LARGEST
        };
        let winner = match (below, above) {
            (None, None) if !self.tied.is_empty() => return Err(Unfit::Tie),
            (None, None) => return Err(Unfit::Keys),
            (Some(entry), None) | (None, Some(entry)) => entry,
            (Some(low), Some(high)) => {
                let key = |entry: usize| {
                    let (j, lift) = (j(entry), self.lifts[entry / PAGE][entry % PAGE]);
                    Point::new(2.0 * j, lift - j * j)
                };
                match compare_scores(query, key(low), key(high)) {
                    Ordering::Greater => low,
                    Ordering::Less => high,
                    Ordering::Equal => match &self.averages {
                        Some(all) if all.may_merge(low, high) => low | BOTH as usize,
                        Some(_) => return Err(Unfit::Keys),
                        None => return Err(Unfit::Tie),
                    },
                }
            }
        };
        let distance = (q - j(winner & !BOTH as usize)).abs();
        let loses = |&(at, _): &(f64, f64)| (q - at).abs() > distance + 1.0;
        if (distance + 1.0) * (distance + 1.0) * 1.001 >= self.depth {
            Err(Unfit::Keys)
        } else if !self.tied.iter().all(loses) {
            Err(Unfit::Tie)
        } else {
            Ok(winner as Entry)
        }
    }

    /// The last key whose index is at most `index`.
    fn last_up_to(&self, index: usize) -> Option<usize> {
        let (number, place) = (index / PAGE, index % PAGE);
        if let Some(page) = self.pages[number].checked_sub(1)
            && let Some(place) = last_bit(&self.present[page as usize], place)
        {
            return Some(page as usize * PAGE + place);
        }
        let mut number = number;
        loop {
            number = self.last_page(number.checked_sub(1)?)?;
            let page = self.pages[number] as usize - 1;
            // A page may have no keys but tied ones.
            if let Some(place) = last_bit(&self.present[page], PAGE - 1) {
                return Some(page * PAGE + place);
            }
        }
    }

    /// The first key whose index is at least `index`.
    fn first_from(&self, index: usize) -> Option<usize> {
        let (number, place) = (index / PAGE, index % PAGE);
        if let Some(page) = self.pages.get(number)?.checked_sub(1)
            && let Some(place) = first_bit(&self.present[page as usize], place)
        {
            return Some(page as usize * PAGE + place);
        }
        let mut number = number;
        loop {
            number = self.first_page(number + 1)?;
            let page = self.pages[number] as usize - 1;
            if let Some(place) = first_bit(&self.present[page], 0) {
                return Some(page * PAGE + place);
            }
        }
    }

    fn last_page(&self, number: usize) -> Option<usize> {
        let word = number / 64;
        if let Some(bit) = last_bit(&self.present_pages[word..=word], number % 64) {
            return Some(64 * word + bit);
        }
        let word = last_bit(&self.present_words, word.checked_sub(1)?)?;
        Some(64 * word + last_bit(&self.present_pages[word..=word], 63)?)
    }

    fn first_page(&self, number: usize) -> Option<usize> {
        let word = number / 64;
        if let Some(bit) = first_bit(self.present_pages.get(word..=word)?, number % 64) {
            return Some(64 * word + bit);
        }
        let word = first_bit(&self.present_words, word + 1)?;
        Some(64 * word + first_bit(&self.present_pages[word..=word], 0)?)
    }

    #[inline]
    pub(crate) fn value(&self, entry: Entry, value: u32) -> f64 {
        match entry & BOTH {
            0 => self.values[value as usize][entry as usize],
            _ => self.value_of_both((entry & !BOTH) as usize, value as usize),
        }
    }

    /// The average of a value of an entry and the next one.
    #[cold]
    fn value_of_both(&self, low: usize, value: usize) -> f64 {
        let index = self.numbers[low / PAGE] as usize * PAGE + low % PAGE;
        let all = self.averages.as_ref().zip(self.first_from(index + 1));
        let (all, high) = all.expect("only averages are of two entries");
        let [low, high] = [low, high].map(|entry| (all.sums[value][entry], all.counts[entry]));
        (low.0 + high.0) / (low.1 + high.1) + 0.0
    }

    pub(crate) fn bytes(&self) -> usize {
        let pages = self.numbers.len();
        let averages = self.averages.as_ref().map_or(0, |all| 1 + all.sums.len());
        pages * (PAGE * 8 * (1 + self.values.len() + averages) + PAGE / 8 + 4)
            + 4 * self.pages.len()
    }
}

impl Averages {
    /// Whether the sums of two entries' values are exact.
    fn may_merge(&self, low: usize, high: usize) -> bool {
        let mut sums = self.sums.iter();
        sums.all(|sums| two_sum(sums[low], sums[high]).1 == 0.0)
    }

    /// Begins with the only key of an entry.
    fn begin(&mut self, values: &[Vec<f64>], entry: usize) {
        self.counts[entry] = 1.0;
        for (sums, column) in self.sums.iter_mut().zip(values) {
            sums[entry] = column[entry];
        }
    }

    /// Adds a key that ties with those of an entry.
    fn add(
        &mut self,
        columns: &mut [Vec<f64>],
        entry: usize,
        values: impl Iterator<Item = f64>,
    ) -> Result<(), Unfit> {
        self.counts[entry] += 1.0;
        let sums = self.sums.iter_mut().zip(columns);
        for ((sums, column), value) in sums.zip(values) {
            let (sum, error) = two_sum(sums[entry], value);
            if error != 0.0 {
                return Err(Unfit::Keys);
            }
            sums[entry] = sum;
            // The sum is exact. So the quotient is the average, rounded once.
            column[entry] = sum / self.counts[entry] + 0.0;
        }
        Ok(())
    }
}

/// The last set bit at or before a position.
fn last_bit(words: &[u64], up_to: usize) -> Option<usize> {
    let first = words[up_to / 64] & (u64::MAX >> (63 - up_to % 64));
    let earlier = words[..up_to / 64].iter().copied().enumerate();
    std::iter::once((up_to / 64, first))
        .chain(earlier.rev())
        .find(|&(_, word)| word != 0)
        .map(|(i, word)| 64 * i + 63 - word.leading_zeros() as usize)
}

/// The first set bit at or after a position.
fn first_bit(words: &[u64], from: usize) -> Option<usize> {
    let first = words.get(from / 64)? & (u64::MAX << (from % 64));
    let later = words.iter().copied().enumerate().skip(from / 64 + 1);
    std::iter::once((from / 64, first))
        .chain(later)
        .find(|&(_, word)| word != 0)
        .map(|(i, word)| 64 * i + word.trailing_zeros() as usize)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use weightware_hull::{HullCache, KeyValueIndex};

    use super::*;

    proptest! {
        /// A table's answers equal those of a hull, with keys that are cleared, near or far, and
        /// keys that tie. Where no key is cleared near, far queries have answers.
        #[test]
        fn answers_are_those_of_the_hull(
            keys in prop::collection::vec((-600_i32..600, 0_u32..4, 0_u32..5), 1..80),
            far in any::<bool>(),
            queries in prop::collection::vec((-900_i32..900, 1_u32..4, 0_u32..3, 0_u32..3), 1..40),
            averages in any::<bool>(),
        ) {
            const CLEARED: f64 = (1 << 22) as f64;
            let mut table = Table::new(1, CLEARED, averages);
            let depth = if far { 3.0 * FAR } else { 3.0 * CLEARED };
            let mut hull = HullCache::new();
            table.insert(0.0, 0.0, [0.0].into_iter()).unwrap();
            hull.push(Point::new(0.0, 0.0), [0.0, 0.0]).unwrap();
            for (i, &(j, clear, late)) in keys.iter().enumerate() {
                let (j, value) = (f64::from(j), i as f64 + 1.0);
                let rise = if late < 3 { value / 1024.0 } else { 0.0 };
                let lift = f64::from(late) / 8.0 + rise - depth * f64::from(clear.saturating_sub(1));
                let (x, y) = (2.0 * j, lift - j * j);
                hull.push(Point::new(x, y), [value, 0.0]).unwrap();
                if let Some((j, lift)) = table.parse(x, y).unwrap() {
                    table.insert(j, lift, [value].into_iter()).unwrap();
                }
            }
            for (x, scale, shift, distance) in queries {
                let (x, y) = (x << (7 * distance), f64::from(scale));
                let query = Point::new(f64::from(x) + f64::from(shift) / 4.0, y);
                match table.find(query) {
                    Ok(entry) => {
                        prop_assert_eq!(hull.query(query).unwrap()[0], table.value(entry, 0));
                    }
                    Err(Unfit::Tie) => {}
                    Err(Unfit::Keys) => prop_assert!(distance > 0 && !far || averages),
                }
            }
        }
    }

    #[test]
    fn keys_that_tie_are_refused_when_one_is_asked_for() {
        let mut table = Table::new(1, 1e9, false);
        let find = |table: &Table, q: f64| table.find_whole(q).map(|entry| table.value(entry, 0));
        for (j, lift, value) in [(5.0, 0.25, 1.0), (5.0, 0.25, 2.0), (5.0, 0.125, 3.0)] {
            table.insert(j, lift, [value].into_iter()).unwrap();
        }
        assert_eq!(find(&table, 5.0), Err(Unfit::Tie), "the only keys tie");
        table.insert(2.0, 0.25, [4.0].into_iter()).unwrap();
        table.insert(1000.0, 0.25, [5.0].into_iter()).unwrap();
        assert_eq!(find(&table, 2.0), Ok(4.0));
        assert_eq!(find(&table, 1.0), Ok(4.0));
        assert_eq!(find(&table, 1001.0), Ok(5.0));
        assert_eq!(find(&table, 800.0), Ok(5.0));
        for q in [3.0, 4.0, 5.0, 6.0, 400.0] {
            assert_eq!(
                find(&table, q),
                Err(Unfit::Tie),
                "{q} may be near to keys that tie"
            );
        }
        table.insert(5.0, 0.5, [6.0].into_iter()).unwrap();
        for q in [4.0, 5.0, 6.0, 400.0] {
            assert_eq!(find(&table, q), Ok(6.0));
        }
    }

    #[test]
    fn averages_of_keys_that_tie() {
        let mut table = Table::new(1, 1e9, true);
        for (j, value) in [(2.0, 1.0), (2.0, 2.0), (2.0, 6.0), (6.0, 7.0)] {
            table.insert(j, 0.25, [value].into_iter()).unwrap();
        }
        let find = |q: f64| table.find_whole(q).map(|entry| table.value(entry, 0));
        assert_eq!(find(2.0), Ok(3.0));
        assert_eq!(find(3.0), Ok(3.0));
        assert_eq!(find(5.0), Ok(7.0));
        assert_eq!(find(4.0), Ok(4.0), "between both: (1 + 2 + 6 + 7) / 4");
    }

    #[test]
    fn queries_that_keys_left_out_may_answer_are_refused() {
        let mut table = Table::new(0, 1e9, false);
        table.insert(5.0, 0.5, std::iter::empty()).unwrap();
        let far = Point::new(1e7, 1.0);
        assert!(table.find(far).is_ok(), "no key is left out");
        assert_eq!(table.parse(6.0, -9.0 - 3.0 * FAR), Ok(None));
        assert!(table.find(far).is_ok(), "only a far one is");
        assert_eq!(table.find(Point::new(1e8, 1.0)), Err(Unfit::Keys));
        assert_eq!(table.parse(6.0, -9.0 - 4e9), Ok(None));
        assert_eq!(table.find(far), Err(Unfit::Keys));
    }

    #[test]
    fn far_queries_and_bad_keys_are_refused() {
        let mut table = Table::new(0, 1e9, false);
        table.omits_near();
        assert_eq!(table.find(Point::new(1.0, 1.0)), Err(Unfit::Keys));
        table.insert(5.0, 0.5, std::iter::empty()).unwrap();
        assert!(table.find(Point::new(7.0, 1.0)).is_ok());
        assert!(table.find(Point::new(-1e3, 1.0)).is_ok());
        assert_eq!(table.find(Point::new(1e5, 1.0)), Err(Unfit::Keys));
        assert_eq!(table.find(Point::new(7.0, 0.0)), Err(Unfit::Keys));
        for (x, y) in [(3.0, -2.25), (2.0, 0.0), (2.0, -1.5), (1e12, -2.5e23)] {
            assert_eq!(table.parse(x, y), Err(Unfit::Keys), "{x} {y}");
        }
        assert_eq!(table.parse(6.0, -9.0 + 0.25), Ok(Some((3.0, 0.25))));
        assert_eq!(table.parse(6.0, -9.0 - 4e9), Ok(None));
    }
}
