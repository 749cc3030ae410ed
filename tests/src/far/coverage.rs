//! Coverage: the positions at which courses execute each instruction.

use std::collections::BTreeMap;

use weightware_isa::Op;

use super::{Course, FAR, has_cases};

/// The positions at which cases begin, and at which they execute each instruction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    /// The number of cases.
    pub cases: u64,
    /// The number of cases after [`FAR`].
    pub far: u64,
    /// The number of cases in the last twentieth of all positions.
    pub late: u64,
    /// For each instruction the number of its positions, of those after [`FAR`], and of those in
    /// the last twentieth.
    pub executed: BTreeMap<Op, [u64; 3]>,
}

/// Whether a position is after [`FAR`], and whether it is in the last twentieth.
fn regions(position: u64, last_position: u64) -> [bool; 2] {
    [
        position > FAR,
        position > last_position - last_position / 20,
    ]
}

impl Coverage {
    /// Adds the instructions that a course executes up to the last position.
    pub fn add(&mut self, course: &Course, last_position: u64) {
        let before = |position: &u64| *position <= last_position;
        for stop in course.stops.iter().filter(|stop| before(&stop.start)) {
            let [far, late] = regions(stop.start, last_position);
            self.cases += 1;
            self.far += u64::from(far);
            self.late += u64::from(late);
            for &(index, at) in &stop.executed {
                let op = course.program.code[index].op;
                let position = stop.start + at;
                if before(&position) {
                    let [far, late] = regions(position, last_position);
                    let counts = self.executed.entry(op).or_default();
                    for (count, counts_here) in counts.iter_mut().zip([true, far, late]) {
                        *count += u64::from(counts_here);
                    }
                }
            }
        }
    }

    /// Adds the coverage of other courses.
    pub fn join(&mut self, other: &Self) {
        self.cases += other.cases;
        self.far += other.far;
        self.late += other.late;
        for (&op, counts) in &other.executed {
            let own = self.executed.entry(op).or_default();
            own.iter_mut()
                .zip(counts)
                .for_each(|(own, count)| *own += count);
        }
    }

    /// The executed instruction with the fewest positions.
    #[must_use]
    pub fn rarest(&self) -> Option<(Op, [u64; 3])> {
        let all = Op::ALL.iter().filter(|&&op| has_cases(op));
        all.map(|op| (*op, self.executed.get(op).copied().unwrap_or_default()))
            .min_by_key(|(_, counts)| counts[0])
    }
}
