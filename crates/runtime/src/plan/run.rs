//! Running programs.

use std::cmp::Ordering;
use std::slice::SliceIndex;

use weightware_analysis::Refusal;
use weightware_hull::{KeyValueIndex, Point, compare_scores};

use super::memory::{Memory, note};
use super::program::{Op, Program, Span, TIME};
use super::table::Unfit;
use crate::sparse::WIDTH;

impl Memory {
    /// Runs some steps of a program for the last token.
    #[inline]
    pub(crate) fn run(
        &mut self,
        program: &Program,
        steps: impl SliceIndex<[Op], Output = [Op]>,
        heads: &[(usize, usize)],
    ) -> Result<(), Refusal> {
        let Self {
            ids,
            registers,
            sum_bounds,
            tables,
            groups,
            streams,
            hulls,
            outside: all_outside,
            rows,
            ..
        } = self;
        // It stays where it is, so that its address stays in a register.
        let registers: &mut [f64; WIDTH] = registers;
        let last = registers[usize::from(TIME)];
        let products = |span: Span| &program.products[span.start as usize..][..span.len as usize];
        let listed = |span: Span| &program.registers[span.start as usize..][..span.len as usize];
        macro_rules! get {
            ($register:expr) => {
                registers[usize::from($register)]
            };
        }
        macro_rules! add {
            ($start:expr, $quad:expr) => {{
                let mut sum = $start;
                for (weight, register) in program.quads[$quad as usize] {
                    sum += weight * get!(register);
                }
                sum
            }};
        }
        for op in &program.ops[steps] {
            let (to, number) = match *op {
                Op::Token { to, slot } => {
                    let id = ids[ids.len() - 1];
                    (to, rows.embedded(id.into(), slot.into()))
                }
                Op::Offset { to, from, plus } => (to, get!(from) + plus),
                Op::Scaled {
                    to,
                    from,
                    plus,
                    weight,
                } => (to, plus + weight * get!(from)),
                Op::Linear { to, start, quad } => (to, add!(start, quad)),
                Op::More { to, quad } => (to, add!(get!(to), quad)),
                Op::Quadratic {
                    to,
                    start,
                    products: span,
                } => {
                    let mut sum = start;
                    for product in products(span) {
                        sum += product.weight * (get!(product.register) * get!(product.factor));
                    }
                    (to, sum)
                }
                Op::Rounded {
                    to,
                    base,
                    start,
                    quad,
                } => (to, get!(base) + add!(start, quad)),
                Op::Onto { to, base } => (to, get!(base) + get!(to)),
                Op::Gated { to, gate, value } => {
                    let gate = get!(gate);
                    let open = if gate <= 0.0 { 0.0 } else { gate };
                    (to, open * get!(value))
                }
                Op::Product { to, gate, value } => (to, get!(gate) * get!(value)),
                Op::Whole { to, query } => (to, clamp(get!(query), last)),
                Op::Close { to, query, head } => {
                    let query = get!(query);
                    let place = round(query);
                    if (query - place).abs() < CERTAIN {
                        (to, clamp(place, last))
                    } else {
                        let place = nearest(Point::new(query, 1.0), [2.0, 1.0], last);
                        (to, place.ok_or(Refusal::Head(heads[head as usize]))?)
                    }
                }
                Op::Near { to, of } => (to, round(get!(of))),
                Op::Nearest {
                    to,
                    query,
                    scale,
                    head,
                } => {
                    let query = Point::new(get!(query[0]), get!(query[1]));
                    let scale = &program.products[scale as usize..];
                    let key = [scale[0].weight, scale[1].weight];
                    let place = nearest(query, key, last);
                    let at = heads[head as usize];
                    (to, place.ok_or(Refusal::Head(at))?)
                }
                Op::Read { to, place, table } => {
                    let id = ids[whole(get!(place))];
                    (to, tables[table as usize + usize::from(id)])
                }
                Op::Recall {
                    to,
                    from,
                    plus,
                    table,
                } => {
                    let id = ids[whole(clamp(get!(from) + plus, last))];
                    (to, tables[table as usize + usize::from(id)])
                }
                Op::Gather {
                    to,
                    start,
                    from,
                    items: span,
                } => {
                    let from = get!(from);
                    let mut sum = start;
                    for item in &program.gathered[span.start as usize..][..span.len as usize] {
                        let id = ids[whole(clamp(from + item.plus, last))];
                        sum += item.weight * tables[item.table as usize + usize::from(id)];
                    }
                    (to, sum)
                }
                Op::Kept { to, place, stream } => {
                    (to, streams[stream as usize][whole(get!(place))])
                }
                Op::Keep { stream, value } => {
                    let value = get!(value);
                    streams[stream as usize].push(value);
                    continue;
                }
                Op::Add { sum, to, value } => {
                    let [lo, hi] = sum_bounds[sum as usize];
                    let sum = get!(to) + get!(value);
                    get!(to) = sum;
                    if !(lo..=hi).contains(&sum) {
                        return Err(Refusal::Sums);
                    }
                    continue;
                }
                Op::Mean { to, sum } => (to, get!(sum) / (last + 1.0)),
                Op::Raise {
                    group,
                    y,
                    values,
                    height,
                } => {
                    let y = get!(y);
                    let highest = &mut get!(height);
                    // Every value has two registers.
                    let places = (height + 1..).step_by(2);
                    if y > *highest {
                        *highest = y;
                        for (&value, to) in listed(values).iter().zip(places) {
                            get!(to) = get!(value);
                        }
                    } else if y == *highest
                        && !listed(values)
                            .iter()
                            .zip(places)
                            .all(|(&value, to)| get!(to) == get!(value))
                    {
                        return Err(Refusal::Group(group.into()));
                    }
                    continue;
                }
                Op::Insert {
                    group,
                    x,
                    y,
                    values,
                } => {
                    let key = [get!(x), get!(y)];
                    let values = listed(values).iter().map(|&r| get!(r));
                    let fits = groups[usize::from(group)].insert(key, values, all_outside);
                    fits.map_err(|Unfit| Refusal::Group(group.into()))?;
                    continue;
                }
                Op::Find { to, group, query } => {
                    let query = Point::new(get!(query[0]), get!(query[1]));
                    let table = groups[usize::from(group)].table();
                    let entry = table
                        .find(query)
                        .map_err(|_| Refusal::Group(group.into()))?;
                    (to, f64::from(entry))
                }
                Op::FindWhole { to, group, query } => {
                    let query = get!(query);
                    let table = groups[usize::from(group)].table();
                    let entry = table
                        .find_whole(query)
                        .map_err(|_| Refusal::Group(group.into()))?;
                    (to, f64::from(entry))
                }
                Op::Found {
                    to,
                    group,
                    entry,
                    value,
                } => {
                    let entry = whole(get!(entry)) as u32;
                    (
                        to,
                        groups[usize::from(group)]
                            .table()
                            .value(entry, value.into()),
                    )
                }
                Op::Look {
                    to,
                    entry,
                    group,
                    value,
                    from,
                    plus,
                } => {
                    let query = get!(from) + plus;
                    let table = groups[usize::from(group)].table();
                    let found = table
                        .find_whole(query)
                        .map_err(|_| Refusal::Group(group.into()))?;
                    get!(entry) = f64::from(found);
                    (to, table.value(found, value.into()))
                }
                Op::Push { hull, key, values } => {
                    let key = Point::new(get!(key[0]), get!(key[1]));
                    let values = values.map(|r| get!(r));
                    let (hull, boxes) = &mut hulls[hull as usize];
                    if let Some(outside) = boxes.outside(key.x, key.y) {
                        note(all_outside, outside);
                        continue;
                    }
                    hull.push(key, values).map_err(|_| Refusal::Model)?;
                    continue;
                }
                Op::Ask { hull, query, to } => {
                    let query = Point::new(get!(query[0]), get!(query[1]));
                    let answers = hulls[hull as usize]
                        .0
                        .query(query)
                        .map_err(|_| Refusal::Model)?;
                    get!(to[0]) = answers[0];
                    (to[1], answers[1])
                }
            };
            get!(to) = number;
        }
        Ok(())
    }
}

/// A whole number from 0 to 2^32 as an index: it is what the last bits of a sum with 2^52 say.
#[inline(always)]
pub(super) fn whole(number: f64) -> usize {
    (number + TO_INDEX).to_bits() as u32 as usize
}

/// 2^52.
pub(super) const TO_INDEX: f64 = (1_u64 << 52) as f64;

/// The number between 0 and `last` that is nearest.
#[inline(always)]
fn clamp(number: f64, last: f64) -> f64 {
    let number = if number > 0.0 { number } else { 0.0 };
    if number < last { number } else { last }
}

/// The nearest integer, for numbers below 2^51; greater ones stay as they are, as far as a position can tell.
#[inline]
pub(super) fn round(number: f64) -> f64 {
    (number + TO_INTEGER) - TO_INTEGER
}

/// 1.5 * 2^52.
pub(super) const TO_INTEGER: f64 = 6_755_399_441_055_744.0;

/// So close to an integer, a number is nearest to it though its quotient was rounded.
pub(super) const CERTAIN: f64 = 0.499_99;

/// The position from 0 to `last` at which the key `(a t, -b t^2)` scores most; none if several do.
#[inline]
fn nearest(query: Point, [a, b]: [f64; 2], last: f64) -> Option<f64> {
    if query.y > 0.0 {
        let vertex = a * query.x / (2.0 * b * query.y);
        let place = round(vertex);
        // The quotient is off by less than 2^-20 where it matters.
        if (vertex - place).abs() < CERTAIN {
            return Some(clamp(place, last));
        }
        if vertex < -1.0 {
            return Some(0.0);
        }
        if vertex > last + 1.0 {
            return Some(last);
        }
    }
    exactly_nearest(query, [a, b], last)
}

#[cold]
fn exactly_nearest(query: Point, [a, b]: [f64; 2], last: f64) -> Option<f64> {
    let key = |t: f64| Point::new(a * t, -(b * (t * t)));
    let better = |s: f64, t: f64| match compare_scores(query, key(s), key(t)) {
        Ordering::Greater => Some(s),
        Ordering::Less => Some(t),
        Ordering::Equal => None,
    };
    if query.y > 0.0 {
        let vertex = a * query.x / (2.0 * b * query.y);
        let low = vertex.floor().max(0.0).min(last);
        let high = (low + 1.0).min(last);
        if low == high {
            Some(low)
        } else {
            better(low, high)
        }
    } else if last == 0.0 {
        Some(0.0)
    } else {
        // Scores are convex, or linear, in t: an end wins.
        better(0.0, last)
    }
}
