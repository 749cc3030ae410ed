//! Dispatch: tokens share a kernel if they agree in the class of the id, the kind of the token that
//! the lookup finds, and the bucket of the counter.

use weightware_analysis::{
    Analysis, Atom, AtomKind, Bailout, Cases, Counted, Counter, PolyId, Polynomial, Scope, TIME,
};

use crate::plan::ir::{Kernel, Register, ZERO};
use crate::plan::lower::compiler::{Compiler, Constants, Known};

/// Counters below `SINGLE` have a bucket each. Greater ones share a bucket from each of these
/// powers of two to the next, and all other numbers share one.
const SINGLE: usize = 16;
const POWERS: [u32; 6] = [4, 10, 16, 22, 26, 32];
const OTHERS: usize = SINGLE + POWERS.len() - 1;

/// The bucket of small counters during prefill, where they rarely repeat.
const TOGETHER: usize = OTHERS + 1;
const LAST_TOGETHER: u32 = (1 << POWERS[1]) - 1;
const BUCKETS: usize = TOGETHER + 1;

/// The dispatch function, from class, kind and counter to the number of a kernel.
#[derive(Debug)]
pub(crate) struct Dispatch {
    pub(crate) cases: Cases,
}

/// The prologue of a class: the kernel that computes the dispatch key.
#[derive(Debug)]
pub(crate) struct Prologue {
    pub(crate) kernel: Kernel,
    pub(crate) known: Known,
    pub(crate) index: Option<Register>,
    pub(crate) place: Option<Register>,
    /// The forms of index and place.
    forms: (Option<PolyId>, Option<Atom>),
    /// The increase of the index by a token of this class, if that leaves the rest of the dispatch
    /// key unchanged.
    advance: Option<f64>,
}

/// A kernel, with the values and the dispatch key on which a link can build.
#[derive(Debug)]
pub(crate) struct LoweredKernel {
    pub(crate) kernel: Kernel,
    pub(crate) known: Known,
    pub(crate) class: u16,
    pub(crate) kind: usize,
    bucket: usize,
}

impl LoweredKernel {
    /// The least and the greatest index for which the kernel holds. `None` if it holds for any.
    pub(crate) fn index_bounds(&self) -> Option<(f64, f64)> {
        bounds(self.bucket)
    }
}

impl Dispatch {
    /// The dispatch by the cases of an analysis.
    pub(crate) fn new(analysis: &mut Analysis) -> Self {
        Self {
            cases: Cases::new(analysis),
        }
    }

    /// The number of possible kernels.
    pub(crate) fn kernels(&self) -> usize {
        self.cases.classes * self.cases.kinds * BUCKETS * 2
    }

    /// The number of the kernel for a class, a token found, and an index.
    #[inline]
    pub(crate) fn number(&self, class: u16, found: usize, index: f64, predict: bool) -> usize {
        let kind = usize::from(self.cases.kind_of[found]);
        let bucket = bucket(index, predict);
        ((usize::from(class) * self.cases.kinds + kind) * BUCKETS + bucket) * 2
            + usize::from(predict)
    }

    /// Lowers the prologue of a class.
    pub(crate) fn prologue(
        &self,
        analysis: &mut Analysis,
        class: u16,
        heights: &[f64],
        constants: &mut Constants,
    ) -> Result<Prologue, Bailout> {
        let mut scope = analysis.scope(class);
        let known = Known::new(constants.layout.end().ok_or(Bailout::Model)?);
        let mut compiler = Compiler::new(analysis, &mut scope, known, heights, constants);
        let mut forms = (None, None);
        let mut index = None;
        if let Some(Counter {
            head: (at, part),
            from_time,
        }) = self.cases.counter
        {
            let mut form = compiler.analysis.answers(compiler.scope, at)?[part];
            if from_time {
                let time = Polynomial::atom(TIME).plus(-1.0, &compiler.analysis.interner[form]);
                form = compiler.analysis.interner.id(time.ok_or(Bailout::Model)?);
            }
            forms.0 = Some(form);
            index = Some(compiler.form(form)?);
        }
        let mut place = None;
        if let Some(&(at, part, _)) = self.cases.fetched.first() {
            let answer = compiler.analysis.answers(compiler.scope, at)?[part];
            let atoms = &compiler.analysis.interner;
            let read = atoms[answer].as_atom().map(|atom| atoms.kind(atom));
            // A constant answer is that of the first token.
            place = Some(ZERO);
            if let Some(&AtomKind::Read { place: atom, .. }) = read {
                forms.1 = Some(atom);
                place = Some(compiler.atom(atom)?);
            }
        }
        let advance = compiler.advance(forms)?;
        let (kernel, known) = compiler.finish();
        analysis.end(scope);
        Ok(Prologue {
            kernel,
            known,
            index,
            place,
            forms,
            advance,
        })
    }

    /// Lowers the kernel of one dispatch key, which runs after a prologue.
    pub(crate) fn kernel(
        &self,
        analysis: &mut Analysis,
        prologue: &Prologue,
        class: u16,
        (found, index, predict): (usize, f64, bool),
        heights: &[f64],
        constants: &mut Constants,
    ) -> Result<LoweredKernel, Bailout> {
        let (kind, bucket) = (
            usize::from(self.cases.kind_of[found]),
            bucket(index, predict),
        );
        let mut scope = self.scope(analysis, class, kind, bucket);
        let known = prologue.known.clone();
        let mut compiler = Compiler::new(analysis, &mut scope, known, heights, constants);
        compiler.keys()?;
        if predict {
            compiler.output()?;
        }
        let (kernel, known) = compiler.finish();
        analysis.end(scope);
        Ok(LoweredKernel {
            kernel,
            known,
            class,
            kind,
            bucket,
        })
    }

    /// Lowers the link from the kernel `last` for a token of a class, if they determine the
    /// dispatch key. The prologues are those of the last token's class and of this token's.
    pub(crate) fn link(
        &self,
        analysis: &mut Analysis,
        [before, after]: [Option<&Prologue>; 2],
        last: &LoweredKernel,
        class: u16,
        heights: &[f64],
        constants: &mut Constants,
    ) -> Result<Option<LoweredKernel>, Bailout> {
        let (Some(before), Some(after)) = (before, after) else {
            return Ok(None);
        };
        let Some(advance) = after.advance.filter(|_| before.forms == after.forms) else {
            return Ok(None);
        };
        let next = bucket(last.bucket as f64 + advance, true);
        // The index grows along a chain of links, which limits their number.
        if last.bucket >= SINGLE || next >= SINGLE || next <= last.bucket {
            return Ok(None);
        }
        let mut scope = self.scope(analysis, class, last.kind, next);
        let known = last.known.next();
        let mut compiler = Compiler::new(analysis, &mut scope, known, heights, constants);
        compiler.carried = Some(&last.known);
        if let Some(place) = after.forms.1 {
            let Some(&register) = last.known.atoms.get(&place) else {
                return Ok(None);
            };
            compiler.known.atoms.insert(place, register);
            compiler.guard((register, 0.0));
        }
        compiler.keys()?;
        compiler.output()?;
        compiler.carry()?;
        let (kernel, known) = compiler.finish();
        analysis.end(scope);
        Ok(Some(LoweredKernel {
            kernel,
            known,
            class,
            kind: last.kind,
            bucket: next,
        }))
    }

    fn scope(&self, analysis: &mut Analysis, class: u16, kind: usize, bucket: usize) -> Scope {
        let counted = match bounds(bucket) {
            Some((lo, hi)) if lo == hi => Counted::Exactly(lo),
            Some((lo, hi)) => Counted::Between([lo, hi]),
            None => Counted::Any,
        };
        self.cases.scope(analysis, class, kind, counted)
    }
}

impl Compiler<'_> {
    /// The increase of the index from one token to the next, if the rest of the index and the query
    /// of the place stay.
    fn advance(
        &mut self,
        (index, place): (Option<PolyId>, Option<Atom>),
    ) -> Result<Option<f64>, Bailout> {
        let mut advance = 0.0;
        if let Some(index) = index {
            advance = self.analysis.interner[index].coefficient((0, TIME));
            let rest = self.analysis.interner[index].plus(-advance, &Polynomial::atom(TIME));
            let Some(rest) = rest else { return Ok(None) };
            let rest = self.analysis.interner.id(rest);
            if !self.form_stays(rest)? {
                return Ok(None);
            }
        }
        if let Some(place) = place {
            let &AtomKind::Place { query, .. } = self.analysis.interner.kind(place) else {
                return Ok(None);
            };
            // For a query `(q, 1)`, a place can be carried.
            let level = self.analysis.interner[query[1]].as_constant() == Some(1.0);
            if !(level && self.form_stays(query[0])?) {
                return Ok(None);
            }
        }
        Ok(Some(advance))
    }
}

#[inline]
fn bucket(index: f64, predict: bool) -> usize {
    // A cast saturates. It equals the number if that is an integer from 0 to 2^32 - 1.
    let whole = index as u32;
    if f64::from(whole) != index {
        return OTHERS;
    }
    if !predict && (1..=LAST_TOGETHER).contains(&whole) {
        return TOGETHER;
    }
    if (whole as usize) < SINGLE {
        return whole as usize;
    }
    let next = POWERS.iter().position(|&power| whole.ilog2() < power);
    // The first power is `SINGLE`.
    SINGLE - 1 + next.unwrap_or(POWERS.len())
}

/// The least and the greatest number of a bucket, which are integers.
fn bounds(bucket: usize) -> Option<(f64, f64)> {
    if bucket < SINGLE {
        Some((bucket as f64, bucket as f64))
    } else if bucket == TOGETHER {
        Some((1.0, LAST_TOGETHER.into()))
    } else if bucket < OTHERS {
        let power = |at: usize| (1_u64 << POWERS[at]) as f64;
        let at = bucket - SINGLE;
        Some((power(at), power(at + 1) - 1.0))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_hold_their_numbers() {
        for index in (0..100)
            .chain([1000, 1 << 20, (1 << 24) - 1])
            .map(f64::from)
        {
            for predict in [false, true] {
                let (lo, hi) = bounds(bucket(index, predict)).unwrap();
                assert!((lo..=hi).contains(&index), "{index}");
            }
        }
        for index in [-1.0, 0.5, 1e12, f64::NAN] {
            assert_eq!(bucket(index, true), OTHERS);
        }
    }
}
