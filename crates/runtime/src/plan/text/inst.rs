//! Disassembly of one instruction: its results, its mnemonic, and the expression that it computes.

use crate::plan::ir::{Inst, Kernel, ONE, Product, Register, Span, ZERO};
use crate::plan::text::names::Names;

impl Names<'_> {
    /// An instruction of a kernel.
    pub(super) fn inst(&self, kernel: &Kernel, inst: Inst) -> String {
        let r = |register: Register| self.register(register);
        let listed = |span: Span| {
            let registers = &kernel.registers[span.start as usize..][..span.len as usize];
            self.list(registers)
        };
        let quad = |start: String, quad: u32| self.sum(start, self.quad(kernel, quad));
        match inst {
            Inst::Token { to, slot } => format!("{} = token slot{slot}", r(to)),
            Inst::Offset { to, from, plus } => {
                format!("{} = offset {}", r(to), self.near(from, plus))
            }
            Inst::Scaled {
                to,
                from,
                plus,
                weight,
            } => {
                let sum = self.sum(format!("{plus:?}"), [(weight, r(from))]);
                format!("{} = scaled {sum}", r(to))
            }
            Inst::Linear {
                to,
                start,
                quad: terms,
            } => format!("{} = linear {}", r(to), quad(format!("{start:?}"), terms)),
            Inst::Accumulate { to, quad: terms } => {
                format!("{} = accumulate {}", r(to), quad(r(to), terms))
            }
            Inst::Quadratic {
                to,
                start,
                products,
            } => {
                let sum = self.sum(format!("{start:?}"), self.products(kernel, products));
                format!("{} = quadratic {sum}", r(to))
            }
            Inst::Rounded {
                to,
                base,
                start,
                quad: terms,
            } => {
                let sum = quad(format!("{start:?}"), terms);
                format!("{} = rounded {} + ({sum})", r(to), r(base))
            }
            Inst::AddBase { to, base } => {
                format!("{} = add_base {} + {}", r(to), r(base), r(to))
            }
            Inst::Gated { to, gate, value } => {
                format!("{} = gated max({}, 0)*{}", r(to), r(gate), r(value))
            }
            Inst::Look {
                to,
                argument,
                column,
            } => format!("{} = look column {column} at {}", r(to), r(argument)),
            Inst::Limit { number, most } => format!("limit {} <= {most}", r(number)),
            Inst::Product { to, gate, value } => {
                format!("{} = product {}*{}", r(to), r(gate), r(value))
            }
            Inst::ClampIndex { to, query } => format!("{} = clamp_index {}", r(to), r(query)),
            Inst::NearestIndex { to, query, head } => {
                let head = self.head(head);
                format!("{} = nearest_index {} for {head}", r(to), r(query))
            }
            Inst::ArgmaxIndex {
                to,
                query,
                scale,
                head,
            } => {
                let [a, b] = [0, 1].map(|part| kernel.products[scale as usize + part].weight);
                let (query, head) = (self.list(&query), self.head(head));
                let keys = format!("({a:?}*t, -{b:?}*t*t)");
                format!("{} = argmax_index ({query}) over {keys} for {head}", r(to))
            }
            Inst::Load { to, place, table } => {
                format!("{} = load {}[id[{}]]", r(to), self.table(table), r(place))
            }
            Inst::LoadNearest {
                to,
                from,
                plus,
                table,
            } => format!("{} = load_nearest {}", r(to), self.entry(table, from, plus)),
            Inst::Gather {
                to,
                start,
                from,
                items,
            } => {
                let items = &kernel.gathered[items.start as usize..][..items.len as usize];
                let entries = items
                    .iter()
                    .map(|item| (item.weight, self.entry(item.table, from, item.plus)));
                format!(
                    "{} = gather {}",
                    r(to),
                    self.sum(format!("{start:?}"), entries)
                )
            }
            Inst::LoadStream { to, place, stream } => {
                format!("{} = load_stream stream{stream}[{}]", r(to), r(place))
            }
            Inst::StoreStream { stream, value } => {
                format!("store_stream stream{stream}, {}", r(value))
            }
            Inst::Add { to, value, .. } => format!("{} = add {} + {}", r(to), r(to), r(value)),
            Inst::RoundToInt { to, of } => format!("{} = round_to_int {}", r(to), r(of)),
            Inst::Mean { to, sum } => format!("{} = mean {}/(time + 1)", r(to), r(sum)),
            Inst::UpdateMax {
                group, y, values, ..
            } => {
                let values = listed(values);
                format!("update_max group{group}, y {}, values ({values})", r(y))
            }
            Inst::Insert {
                group,
                x,
                y,
                values,
            } => {
                let (key, values) = (self.list(&[x, y]), listed(values));
                format!("insert group{group}, key ({key}), values ({values})")
            }
            Inst::Find { to, group, query } => {
                format!("{} = find group{group}, ({})", r(to), self.list(&query))
            }
            Inst::FindIndex { to, group, query } => {
                format!("{} = find_index group{group}, {}", r(to), r(query))
            }
            Inst::LoadEntry {
                to,
                group,
                entry,
                value,
            } => format!("{} = load_entry group{group}[{}].v{value}", r(to), r(entry)),
            Inst::FindLoad {
                to,
                entry,
                group,
                value,
                from,
                plus,
            } => {
                let query = self.near(from, plus);
                let to = self.list(&[entry, to]);
                format!("{to} = find_load group{group}, {query}, .v{value}")
            }
            Inst::PushHull { hull, key, values } => {
                let (key, values) = (self.list(&key), self.list(&values));
                format!("push_hull hull{hull}, key ({key}), values ({values})")
            }
            Inst::QueryHull { hull, query, to } => {
                let (to, query) = (self.list(&to), self.list(&query));
                format!("{to} = query_hull hull{hull}, ({query})")
            }
        }
    }

    /// The entry of a table for the token at the position nearest to an integer.
    fn entry(&self, table: u32, from: Register, plus: f64) -> String {
        format!(
            "{}[id[clamp({})]]",
            self.table(table),
            self.near(from, plus)
        )
    }

    /// The products of a quad without the zeros that fill it up.
    fn quad(&self, kernel: &Kernel, quad: u32) -> Vec<(f64, String)> {
        let terms = kernel.quads[quad as usize].iter();
        let terms = terms.filter(|&&(weight, register)| weight != 0.0 || register != ZERO);
        terms
            .map(|&(weight, register)| (weight, self.register(register)))
            .collect()
    }

    fn products(&self, kernel: &Kernel, products: Span) -> Vec<(f64, String)> {
        let products = &kernel.products[products.start as usize..][..products.len as usize];
        let factors = |product: &Product| {
            let [register, factor] = [product.register, product.factor].map(|r| self.register(r));
            match product.factor {
                ONE => (product.weight, register),
                _ => (product.weight, format!("{register}*{factor}")),
            }
        };
        products.iter().map(factors).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::ir::{Gathered, INDEX, ONE, Output, RegisterLayout, TIME};
    use crate::plan::lower::compiler::Constants;

    /// Instructions whose operands are in the kernel's arrays, or that have signs and units to
    /// print.
    #[test]
    fn lines_say_what_instructions_compute() {
        // A sum, and a group in which only the highest key can win, with one value.
        let layout = RegisterLayout::new(1, [Some(1), None].into_iter());
        let free = layout.end().unwrap();
        let mut constants = Constants::new(layout);
        let tenth = constants.register(0.1).unwrap();
        let names = Names {
            layout: &constants.layout,
            constants: &constants,
            heads: &[(0, 0), (0, 1), (3, 2)],
            vocab: 9,
        };
        let [a, b] = [free, free + 1];
        let product = |weight, register, factor| Product {
            weight,
            register,
            factor,
        };
        let gathered = |weight, plus, table| Gathered {
            weight,
            plus,
            table,
        };
        let kernel = Kernel {
            ops: vec![],
            products: vec![
                product(0.5, a, b),
                product(-1.0, TIME, ONE),
                product(2.0, ZERO, ONE),
                product(3.0, ZERO, ONE),
            ],
            quads: vec![[(1.0, a), (-0.25, INDEX), (0.0, ZERO), (0.0, ZERO)]],
            gathered: vec![gathered(-1.0, -3.0, 0), gathered(1e300, 2.0, 20)],
            registers: vec![4, tenth],
            output: Output::None,
            guards: vec![],
        };
        let span = |start, len| Span { start, len };
        let lines = [
            (
                Inst::Linear {
                    to: b,
                    start: -0.0,
                    quad: 0,
                },
                "r9 = linear -0.0 + r8 - 0.25*index",
            ),
            (
                Inst::Accumulate { to: b, quad: 0 },
                "r9 = accumulate r9 + r8 - 0.25*index",
            ),
            (
                Inst::Rounded {
                    to: b,
                    base: tenth,
                    start: 1.0,
                    quad: 0,
                },
                "r9 = rounded 0.1 + (1.0 + r8 - 0.25*index)",
            ),
            (
                Inst::Quadratic {
                    to: b,
                    start: 7.0,
                    products: span(0, 2),
                },
                "r9 = quadratic 7.0 + 0.5*r8*r9 - time",
            ),
            (
                Inst::ArgmaxIndex {
                    to: b,
                    query: [a, ONE],
                    scale: 2,
                    head: 2,
                },
                "r9 = argmax_index (r8, one) over (2.0*t, -3.0*t*t) for head3.2",
            ),
            (
                Inst::NearestIndex {
                    to: b,
                    query: a,
                    head: 1,
                },
                "r9 = nearest_index r8 for head0.1",
            ),
            (
                Inst::Gather {
                    to: b,
                    start: 0.0,
                    from: a,
                    items: span(0, 2),
                },
                "r9 = gather 0.0 - table0[id[clamp(r8 - 3.0)]] + 1e300*table2[id[clamp(r8 + 2.0)]]",
            ),
            (
                Inst::FindIndex {
                    to: b,
                    group: 1,
                    query: a,
                },
                "r9 = find_index group1, r8",
            ),
            (
                Inst::FindLoad {
                    to: b,
                    entry: a,
                    group: 1,
                    value: 2,
                    from: TIME,
                    plus: -1.0,
                },
                "r8, r9 = find_load group1, time - 1.0, .v2",
            ),
            (
                Inst::UpdateMax {
                    group: 0,
                    y: a,
                    values: span(0, 2),
                    height: 5,
                },
                "update_max group0, y r8, values (sum0, 0.1)",
            ),
            (
                Inst::RoundToInt { to: 7, of: 6 },
                "group0.n0 = round_to_int group0.v0",
            ),
            (
                Inst::Add {
                    sum: 0,
                    to: 4,
                    value: b,
                },
                "sum0 = add sum0 + r9",
            ),
            (
                Inst::Load {
                    to: b,
                    place: 5,
                    table: 10,
                },
                "r9 = load table1[id[group0.y]]",
            ),
        ];
        for (inst, line) in lines {
            assert_eq!(names.inst(&kernel, inst), line);
        }
    }
}
