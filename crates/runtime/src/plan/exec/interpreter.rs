//! Register-machine interpreter of kernels.

use std::slice::SliceIndex;

use weightware_analysis::Bailout;
use weightware_hull::{KeyValueIndex, Point};

use crate::plan::exec::boxes::note;
use crate::plan::exec::state::PlanState;
use crate::plan::exec::table::Entry;
use crate::plan::float::{CERTAIN, clamp, nearest, round, whole};
use crate::plan::ir::{Inst, Kernel, Span, TIME};
use crate::sparse::WIDTH;

impl PlanState {
    /// Interprets some steps of a kernel for the last token.
    #[inline]
    pub(crate) fn run(
        &mut self,
        kernel: &Kernel,
        steps: impl SliceIndex<[Inst], Output = [Inst]>,
        heads: &[(usize, usize)],
    ) -> Result<(), Bailout> {
        let Self {
            ids,
            registers,
            sum_bounds,
            tables,
            columns,
            groups,
            streams,
            hulls,
            outside: first_outside,
            rows,
            ..
        } = self;
        // The local reference lets the compiler keep the address in a register of the processor.
        let registers: &mut [f64; WIDTH] = registers;
        let last = registers[usize::from(TIME)];
        let products = |span: Span| &kernel.products[span.start as usize..][..span.len as usize];
        let listed = |span: Span| &kernel.registers[span.start as usize..][..span.len as usize];
        macro_rules! get {
            ($register:expr) => {
                registers[usize::from($register)]
            };
        }
        macro_rules! add {
            ($start:expr, $quad:expr) => {{
                let mut sum = $start;
                for (weight, register) in kernel.quads[$quad as usize] {
                    sum += weight * get!(register);
                }
                sum
            }};
        }
        for op in &kernel.ops[steps] {
            let (to, number) = match *op {
                Inst::Token { to, slot } => {
                    let id = ids[ids.len() - 1];
                    (to, rows.embedded(id.into(), slot.into()))
                }
                Inst::Offset { to, from, plus } => (to, get!(from) + plus),
                Inst::Scaled {
                    to,
                    from,
                    plus,
                    weight,
                } => (to, plus + weight * get!(from)),
                Inst::Linear { to, start, quad } => (to, add!(start, quad)),
                Inst::Accumulate { to, quad } => (to, add!(get!(to), quad)),
                Inst::Quadratic {
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
                Inst::Rounded {
                    to,
                    base,
                    start,
                    quad,
                } => (to, get!(base) + add!(start, quad)),
                Inst::AddBase { to, base } => (to, get!(base) + get!(to)),
                Inst::Gated { to, gate, value } => {
                    let gate = get!(gate);
                    let open = if gate <= 0.0 { 0.0 } else { gate };
                    (to, open * get!(value))
                }
                Inst::Look {
                    to,
                    argument,
                    column,
                } => {
                    let entry = columns.entry(column, get!(argument));
                    (to, entry.ok_or(Bailout::Model)?)
                }
                Inst::Limit { number, most } => {
                    if get!(number) > most {
                        return Err(Bailout::Tables);
                    }
                    continue;
                }
                Inst::Product { to, gate, value } => (to, get!(gate) * get!(value)),
                Inst::ClampIndex { to, query } => (to, clamp(get!(query), last)),
                Inst::NearestIndex { to, query, head } => {
                    let query = get!(query);
                    let place = round(query);
                    if (query - place).abs() < CERTAIN {
                        (to, clamp(place, last))
                    } else {
                        let place = nearest(Point::new(query, 1.0), [2.0, 1.0], last);
                        (to, place.ok_or(Bailout::Head(heads[head as usize]))?)
                    }
                }
                Inst::RoundToInt { to, of } => (to, round(get!(of))),
                Inst::ArgmaxIndex {
                    to,
                    query,
                    scale,
                    head,
                } => {
                    let query = Point::new(get!(query[0]), get!(query[1]));
                    let scale = &kernel.products[scale as usize..];
                    let key = [scale[0].weight, scale[1].weight];
                    let place = nearest(query, key, last);
                    let at = heads[head as usize];
                    (to, place.ok_or(Bailout::Head(at))?)
                }
                Inst::Load { to, place, table } => {
                    let id = ids[whole(get!(place))];
                    (to, tables[table as usize + usize::from(id)])
                }
                Inst::LoadNearest {
                    to,
                    from,
                    plus,
                    table,
                } => {
                    let id = ids[whole(clamp(get!(from) + plus, last))];
                    (to, tables[table as usize + usize::from(id)])
                }
                Inst::Gather {
                    to,
                    start,
                    from,
                    items: span,
                } => {
                    let from = get!(from);
                    let mut sum = start;
                    for item in &kernel.gathered[span.start as usize..][..span.len as usize] {
                        let id = ids[whole(clamp(from + item.plus, last))];
                        sum += item.weight * tables[item.table as usize + usize::from(id)];
                    }
                    (to, sum)
                }
                Inst::LoadStream { to, place, stream } => {
                    (to, streams[stream as usize][whole(get!(place))])
                }
                Inst::StoreStream { stream, value } => {
                    let value = get!(value);
                    streams[stream as usize].push(value);
                    continue;
                }
                Inst::Add { sum, to, value } => {
                    let [lo, hi] = sum_bounds[sum as usize];
                    let sum = get!(to) + get!(value);
                    get!(to) = sum;
                    if !(lo..=hi).contains(&sum) {
                        return Err(Bailout::Sums);
                    }
                    continue;
                }
                Inst::Mean { to, sum } => (to, get!(sum) / (last + 1.0)),
                Inst::UpdateMax {
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
                        return Err(Bailout::Group(group.into()));
                    }
                    continue;
                }
                Inst::Insert {
                    group,
                    x,
                    y,
                    values,
                } => {
                    let key = [get!(x), get!(y)];
                    let values = listed(values).iter().map(|&r| get!(r));
                    groups.insert(group, key, values, first_outside)?;
                    continue;
                }
                Inst::Find { to, group, query } => {
                    let query = Point::new(get!(query[0]), get!(query[1]));
                    (to, f64::from(groups.find(group, query)?))
                }
                Inst::FindIndex { to, group, query } => {
                    (to, f64::from(groups.find_index(group, get!(query))?))
                }
                Inst::LoadEntry {
                    to,
                    group,
                    entry,
                    value,
                } => (to, groups.value(group, whole(get!(entry)) as Entry, value)),
                Inst::FindLoad {
                    to,
                    entry,
                    group,
                    value,
                    from,
                    plus,
                } => {
                    let found = groups.find_index(group, get!(from) + plus)?;
                    get!(entry) = f64::from(found);
                    (to, groups.value(group, found, value))
                }
                Inst::PushHull { hull, key, values } => {
                    let key = Point::new(get!(key[0]), get!(key[1]));
                    let values = values.map(|r| get!(r));
                    let (hull, boxes) = &mut hulls[hull as usize];
                    if let Some(outside) = boxes.outside(key.x, key.y) {
                        note(first_outside, outside);
                        continue;
                    }
                    hull.push(key, values).map_err(|_| Bailout::Model)?;
                    continue;
                }
                Inst::QueryHull { hull, query, to } => {
                    let query = Point::new(get!(query[0]), get!(query[1]));
                    let answers = hulls[hull as usize]
                        .0
                        .query(query)
                        .map_err(|_| Bailout::Model)?;
                    get!(to[0]) = answers[0];
                    (to[1], answers[1])
                }
            };
            get!(to) = number;
        }
        Ok(())
    }
}
