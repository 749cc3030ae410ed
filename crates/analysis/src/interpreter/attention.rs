//! Transfer functions of attention: the outputs of heads as forms, for each kind of keys.

use crate::interpreter::assumptions::{Bailout, HeadAt, Result};
use crate::interpreter::key_layout::{Head, KeyLayout, Value};
use crate::interpreter::scope::OutputAt;
use crate::symbolic::atoms::{AtomKind, TIME};
use crate::symbolic::hash::QuickMap;
use crate::symbolic::interner::Interner;
use crate::symbolic::interval::{Range, is_power, power};
use crate::symbolic::polynomial::{Atom, PolyId, Polynomial};

/// The memoised outputs of heads, by query.
#[derive(Debug, Default)]
pub(crate) struct Attention {
    outputs: QuickMap<(HeadAt, usize, [PolyId; 2]), PolyId>,
    /// For each place, a head that attends to it.
    heads: QuickMap<Atom, HeadAt>,
}

impl Attention {
    /// Forgets the outputs. Later places reuse the numbers of atoms, and replace their heads.
    pub(crate) fn forget(&mut self) {
        self.outputs = QuickMap::default();
    }

    /// A head that attends to a place.
    pub(crate) fn head_of_place(&self, place: Atom) -> HeadAt {
        self.heads[&place]
    }

    /// A part of a head's output for a query.
    pub(crate) fn output(
        &mut self,
        layout: &KeyLayout,
        interner: &mut Interner,
        (at, part): OutputAt,
        query: [PolyId; 2],
    ) -> Result<PolyId> {
        if let Some(&known) = self.outputs.get(&(at, part, query)) {
            return Ok(known);
        }
        let output = match layout.head(at) {
            Head::Mean(sums) => sums[part].map(|sum| mean(layout, interner, sum)),
            Head::Place { key, values, .. } => match values[part] {
                Some(value) => {
                    let first = layout.first(at).value[part];
                    Some(self.read(layout, interner, (at, query, key), first, value)?)
                }
                None => None,
            },
            Head::Group { group, values } => {
                values[part].map(|value| found(layout, interner, group, query, value))
            }
            Head::Hull(head) => {
                let range = layout.hull_ranges[head as usize][part];
                let kind = AtomKind::Hull {
                    head,
                    query,
                    part: part == 1,
                };
                let atom = interner.atom(kind, || range.of_means());
                let value = layout.hull_forms[head as usize][part];
                note_past(interner, atom, value, layout.first(at).value[part]);
                Some(interner.id(Polynomial::atom(atom)))
            }
        };
        let output = output.unwrap_or(PolyId::ZERO);
        self.outputs.insert((at, part, query), output);
        Ok(output)
    }

    /// The value at the position that a query finds among the keys `(a t, -b t^2)`.
    fn read(
        &mut self,
        layout: &KeyLayout,
        interner: &mut Interner,
        (at, query, key): (HeadAt, [PolyId; 2], [f64; 2]),
        first: f64,
        value: Value,
    ) -> Result<PolyId> {
        let [x, y] = query.map(|form| interner.bounds(form));
        let first = Polynomial::constant(first);
        // Position 1 scores less than position 0, and later positions score even less.
        if y.lo >= 0.0 && key[0] * x.hi < key[1] * y.lo - (key[1] * y.lo).abs() * power(-50) {
            return Ok(interner.id(first));
        }
        if y.lo >= 0.0 && x.hi < 0.0 {
            return Ok(interner.id(first));
        }
        let (query, key) = nearest_query(interner, query, key);
        if interner[query[1]].as_constant() == Some(1.0)
            && key == [2.0, 1.0]
            && interner.bounds(query[0]).hi < 0.5
        {
            return Ok(interner.id(first));
        }
        let place = AtomKind::Place {
            query,
            key: key.map(f64::to_bits),
        };
        let bounds = query.map(|form| interner.bounds(form));
        let last = last_place(bounds, key).min(interner.last_position() as f64);
        let place = interner.atom(place, || Range::new(0.0, last, 0));
        self.heads.insert(place, at);
        match value {
            Value::Stream { stream, range } => {
                Ok(interner.id_of(AtomKind::Kept { place, stream }, || range))
            }
            Value::Table { table, time } => {
                value_of_id(layout, interner, place, table, time).ok_or(Bailout::Head(at))
            }
        }
    }
}

/// The average of all values: the running sum divided by their number.
fn mean(layout: &KeyLayout, interner: &mut Interner, number: u32) -> PolyId {
    let sum = &layout.sums[number as usize];
    let value = interner.bounds(sum.form).union(Range::of(sum.first));
    interner.atom(AtomKind::Sum { sum: number }, || sum.range);
    interner.id_of(AtomKind::Mean { sum: number }, || value.of_means())
}

/// A value of the token that a query finds in a group.
fn found(
    layout: &KeyLayout,
    interner: &mut Interner,
    number: u32,
    query: [PolyId; 2],
    value: u32,
) -> PolyId {
    let group = &layout.groups[number as usize];
    let range = group.ranges[value as usize];
    let atom = if group.latest {
        let kind = AtomKind::Latest {
            group: number,
            value,
        };
        let atom = interner.atom(kind, || range);
        if let Some(error) = group.nearness[value as usize] {
            interner.note_nearness(atom, error);
        }
        atom
    } else {
        let query = match scaled_query(interner, query, [2.0, 1.0]) {
            Some(scaled) => {
                let one = interner.constant(1.0);
                [interner.id(scaled), one]
            }
            None => query,
        };
        let kind = AtomKind::Entry {
            group: number,
            query,
        };
        let entry = interner.atom(kind, || Range::of(0.0));
        interner.atom(AtomKind::Found { entry, value }, || range)
    };
    let (head, part) = group.values[value as usize];
    let first = layout.first((group.layer, head)).value[part];
    note_past(interner, atom, group.forms[value as usize], first);
    interner.id(Polynomial::atom(atom))
}

/// Notes that an atom is at most a multiple of the position, if it is a token's value of the given
/// form, or the average of several.
fn note_past(interner: &mut Interner, atom: Atom, value: PolyId, first: f64) {
    if let [((0, TIME), c)] = *interner[value].terms()
        && c > 0.0
        && first == 0.0
    {
        interner.note_past(atom, c);
    }
}

/// The entry of a table for the token at a place t, plus `c[0] t + c[1] t^2`. `None` if the sum may
/// be rounded.
fn value_of_id(
    layout: &KeyLayout,
    interner: &mut Interner,
    place: Atom,
    table: u32,
    c: [f64; 2],
) -> Option<PolyId> {
    let of_id = &layout.tables[table as usize];
    let entry = match of_id.constant {
        Some(constant) => Polynomial::constant(constant),
        None => {
            let kind = AtomKind::Read { place, table };
            Polynomial::atom(interner.atom(kind, || of_id.range))
        }
    };
    let of_time = Polynomial::monomial((0, place), c[0])
        .plus(1.0, &Polynomial::monomial((place, place), c[1]))?;
    let sum = entry.plus(1.0, &of_time)?;
    interner.is_safe(&sum).then(|| interner.id(sum))
}

/// `q` of an equivalent query `(q, 1)` to the keys `(2 t, -t^2)`. `None` if scaling may round.
fn scaled_query(interner: &Interner, query: [PolyId; 2], [a, b]: [f64; 2]) -> Option<Polynomial> {
    let slope = interner[query[1]].as_constant()?;
    let factor = a / (2.0 * b * slope);
    if slope <= 0.0 || ![factor, slope, a, b].into_iter().all(is_power) {
        return None;
    }
    Polynomial::zero().plus(factor, &interner[query[0]])
}

/// Normalises a query that finds the nearest position, and its keys: to `(q, 1)` and `(2 t, -t^2)`
/// if that is equivalent, with an integer in place of q if q is proved to be close to one.
fn nearest_query(
    interner: &mut Interner,
    query: [PolyId; 2],
    key: [f64; 2],
) -> ([PolyId; 2], [f64; 2]) {
    let Some(scaled) = scaled_query(interner, query, key) else {
        return (query, key);
    };
    let one = interner.constant(1.0);
    let close = interner.close_to(&scaled).filter(|(close, error)| {
        *error < 0.49 && interner.is_safe(close) && interner.range(close).grain >= 0
    });
    let q = close.map_or(scaled, |(close, _)| close);
    ([interner.id(q), one], [2.0, 1.0])
}

/// An upper bound of the position that a query `(x, y)` finds among keys `(a t, -b t^2)`: the
/// nearest to `a x / (2 b y)`. Infinite if no bound is known.
fn last_place([x, y]: [Range; 2], [a, b]: [f64; 2]) -> f64 {
    if y.lo <= 0.0 {
        return f64::INFINITY;
    }
    let nearest = a * x.hi.max(0.0) / (2.0 * b * y.lo);
    // The factor covers three rounded operations. The greater one of two nearest integers counts.
    let last = (nearest * (1.0 + power(-48)) + 0.5).floor();
    if last.is_nan() { f64::INFINITY } else { last }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Random;

    /// The last of the positions of the greatest score, in exact integers.
    fn scan([x, y]: [i64; 2], [a, b]: [i64; 2], positions: i64) -> i64 {
        let [x, y, a, b] = [x, y, a, b].map(i128::from);
        let score = |t: &i64| {
            let t = i128::from(*t);
            a * t * x - b * t * t * y
        };
        (0..positions).max_by_key(score).expect("a position")
    }

    #[test]
    fn no_position_found_lies_beyond_the_last() {
        const POSITIONS: i64 = 150;
        let mut random = Random::new(1);
        let (mut ties, mut exact) = (0, 0);
        for round in 0..4_000 {
            let b = random.integer(1, 1 << 22);
            let y = random.integer(1, 1 << 50);
            // An x near that of a position, in one of three rounds exactly between two positions.
            let (a, x) = if round % 3 == 0 {
                let position = random.integer(0, POSITIONS);
                let y = y.min(1 << 44);
                ties += 1;
                check(&mut exact, [(2 * position + 1) * y, y], [b; 2]);
                continue;
            } else {
                let a = random.integer(1 << 49, 1 << 50);
                let position = random.integer(-20, 2 * POSITIONS + 40);
                let x = i128::from(b) * i128::from(y) * i128::from(position) / i128::from(a);
                (a, x as i64 + random.integer(-3, 3))
            };
            check(&mut exact, [x, y], [a, b]);
        }

        /// If bounds are exact, the last position is the one found, or the next. Wider bounds never
        /// decrease it.
        fn check(exact: &mut usize, query @ [x, y]: [i64; 2], key: [i64; 2]) {
            let found = scan(query, key, POSITIONS);
            let key = key.map(|number| number as f64);
            let known = query.map(|number| Range::of(number as f64));
            let last = last_place(known, key);
            let sure = last.min((POSITIONS - 1) as f64);
            assert!(
                found as f64 <= sure,
                "{query:?} {key:?}: {found} beyond {sure}"
            );
            assert!(
                sure <= found as f64 + 1.0,
                "{query:?} {key:?}: {found}, {sure} is far"
            );
            *exact += usize::from(found as f64 == sure);
            let wider = [
                Range::new(x as f64 - 9e9, x as f64 + 7.0, 0),
                Range::new((y / 2 + 1) as f64, y as f64 + 1e9, 0),
            ];
            assert!(last <= last_place(wider, key), "{query:?} {key:?}");
        }
        assert!(ties > 1_000 && exact > 3_900, "{ties} ties, {exact} exact");
    }

    #[test]
    fn unsteady_queries_have_no_last_position() {
        let x = Range::new(0.0, 5.0, 0);
        for (y, last) in [
            (Range::new(0.0, 1.0, -10), f64::INFINITY),
            (Range::new(-1.0, 1.0, 0), f64::INFINITY),
            (Range::new(power(-10), 1.0, -10), 5120.0),
            (Range::of(1.0), 5.0),
        ] {
            assert_eq!(last_place([x, y], [2.0, 1.0]), last, "{y:?}");
        }
        let below = Range::new(-9.0, -1.0, 0);
        assert_eq!(last_place([below, Range::of(1.0)], [2.0, 1.0]), 0.0);
        // Neither product is a float.
        let huge = Range::of(power(600));
        assert_eq!(last_place([huge; 2], [power(600); 2]), f64::INFINITY);
    }
}
