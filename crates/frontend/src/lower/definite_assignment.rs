//! Definite-assignment analysis: finds the locals that may be read before they are written.
//!
//! Only these are zeroed at the function's entry.

use wasmparser::{Operator, OperatorsReader};

use crate::bitset::BitSet;
use crate::error::Error;

/// The accesses of a function to its locals, parameters included.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Locals that may be read while they still hold the zero of the function's entry.
    pub(crate) read_first: Vec<bool>,
    /// Locals that are written somewhere, as all parameters are.
    pub(crate) written: Vec<bool>,
    /// The number of reads of each local, in unreachable code as well.
    pub(crate) reads: Vec<u32>,
}

/// An open block.
struct Open {
    /// Locals that are written on every path to the block's end so far. `None`: no path so far.
    end: Option<BitSet>,
    /// Locals that are written before an `if`. `None` after its `else`, and for other blocks.
    otherwise: Option<BitSet>,
    is_loop: bool,
}

/// The number of visited words of sets after which the analysis gives up and assumes that every
/// local is read first.
const MOST_VISITS: u64 = 1 << 26;

/// Analyses a function; `locals` counts its parameters too.
pub(crate) fn usage(
    operators: &OperatorsReader<'_>,
    parameters: u32,
    locals: u32,
) -> Result<Usage, Error> {
    let words = locals as usize / 64 + 1;
    let mut analysis = Analysis {
        usage: Usage {
            read_first: vec![false; locals as usize],
            written: (0..locals).map(|local| local < parameters).collect(),
            reads: vec![0; locals as usize],
        },
        now: Some(BitSet::new(locals as usize)),
        open: vec![Open {
            end: None,
            otherwise: None,
            is_loop: false,
        }],
        skipped: 0,
    };
    if let Some(now) = &mut analysis.now {
        (0..parameters).for_each(|parameter| now.insert(parameter));
    }
    let mut visits = 0;
    for operator in operators.clone() {
        let operator = operator?;
        if let Operator::LocalGet { local_index } = operator {
            analysis.usage.reads[local_index as usize] += 1;
        } else {
            visits += words as u64;
        }
        analysis.step(&operator)?;
        if visits > MOST_VISITS {
            return give_up(operators, analysis.usage);
        }
    }
    Ok(analysis.usage)
}

/// The conservative result: any local may be read first.
fn give_up(operators: &OperatorsReader<'_>, mut usage: Usage) -> Result<Usage, Error> {
    usage.read_first.fill(true);
    usage.reads.fill(u32::MAX);
    for operator in operators.clone() {
        if let Operator::LocalSet { local_index } | Operator::LocalTee { local_index } = operator? {
            usage.written[local_index as usize] = true;
        }
    }
    Ok(usage)
}

struct Analysis {
    usage: Usage,
    /// Locals that are written on every path to the current operator. `None` if it is unreachable.
    now: Option<BitSet>,
    open: Vec<Open>,
    /// Blocks that are open within unreachable code.
    skipped: usize,
}

impl Analysis {
    fn step(&mut self, operator: &Operator<'_>) -> Result<(), Error> {
        if self.now.is_none() {
            match operator {
                Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => {
                    self.skipped += 1;
                    return Ok(());
                }
                Operator::End if self.skipped > 0 => {
                    self.skipped -= 1;
                    return Ok(());
                }
                Operator::End => {}
                Operator::Else if self.skipped == 0 => {}
                _ => return Ok(()),
            }
        }
        match operator {
            Operator::LocalGet { local_index } => {
                let written = |now: &BitSet| now.contains(*local_index);
                let read_first = &mut self.usage.read_first[*local_index as usize];
                *read_first |= !self.now.as_ref().is_none_or(written);
            }
            Operator::LocalSet { local_index } | Operator::LocalTee { local_index } => {
                self.usage.written[*local_index as usize] = true;
                if let Some(now) = &mut self.now {
                    now.insert(*local_index);
                }
            }
            Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => {
                let is_if = matches!(operator, Operator::If { .. });
                let is_loop = matches!(operator, Operator::Loop { .. });
                let otherwise = self.now.clone().filter(|_| is_if);
                self.open.push(Open {
                    end: None,
                    otherwise,
                    is_loop,
                });
            }
            Operator::Else => {
                self.arrive(0);
                self.now = self.open.last_mut().and_then(|open| open.otherwise.take());
            }
            Operator::End => {
                if let Some(mut open) = self.open.pop() {
                    meet(&mut open.end, self.now.as_ref());
                    meet(&mut open.end, open.otherwise.as_ref());
                    self.now = open.end;
                }
            }
            Operator::Br { relative_depth } => {
                self.arrive_at(*relative_depth);
                self.now = None;
            }
            Operator::BrIf { relative_depth } => self.arrive_at(*relative_depth),
            Operator::BrTable { targets } => {
                let mut depths = targets.targets().collect::<Result<Vec<_>, _>>()?;
                depths.push(targets.default());
                depths.sort_unstable();
                depths.dedup();
                depths.into_iter().for_each(|depth| self.arrive_at(depth));
                self.now = None;
            }
            Operator::Return | Operator::Unreachable => self.now = None,
            _ => {}
        }
        Ok(())
    }

    /// Propagates the current set along a branch. A branch back to a loop has no effect: the set at
    /// the loop's beginning is a subset of the current one.
    fn arrive_at(&mut self, depth: u32) {
        let is_loop = |open: &Open| open.is_loop;
        let depth = depth as usize;
        if !self.open.iter().rev().nth(depth).is_some_and(is_loop) {
            self.arrive(depth);
        }
    }

    fn arrive(&mut self, depth: usize) {
        if let Some(open) = self.open.iter_mut().rev().nth(depth) {
            meet(&mut open.end, self.now.as_ref());
        }
    }
}

/// The meet of the dataflow analysis: intersects the set of a further path with that of the paths
/// before it.
fn meet(paths: &mut Option<BitSet>, path: Option<&BitSet>) {
    match (paths.as_mut(), path) {
        (Some(paths), Some(path)) => paths.intersect(path),
        (None, Some(path)) => *paths = Some(path.clone()),
        (_, None) => {}
    }
}
