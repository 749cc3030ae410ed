//! The upper envelope of lines: the token that the unembedding selects along one column, and its
//! margin.

use std::cell::OnceCell;
use std::rc::Rc;

use weightware_model::TokenId;

/// An interval of integers over which one token wins.
#[derive(Debug, Clone)]
struct Segment {
    first: f64,
    last: f64,
    winner: u32,
    /// The margins at its first and at its last integer, once computed.
    margins: OnceCell<[Margin; 2]>,
}

/// The winners along a column that is an integer, for given values of all other columns.
///
/// The logit of a token is a line over the column. Between two breakpoints of the envelope one
/// token wins. Its margin is the least of differences of lines, so it is concave, and least at an
/// end.
#[derive(Debug, Clone)]
pub(crate) struct Envelope {
    lines: Vec<(f64, f64)>,
    /// The group of each line.
    groups: Rc<[u32]>,
    segments: Vec<Segment>,
}

/// The heights of a line above the next best lines.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Margin {
    /// The height above the best other line.
    pub(crate) least: f64,
    /// The height above the best line of another group.
    pub(crate) of_group: f64,
}

/// A winner over an interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Won {
    pub(crate) token: TokenId,
    /// The least margins over the interval; 0 for a tie.
    pub(crate) margin: Margin,
    /// The integer with the least margin.
    pub(crate) at: f64,
}

impl Envelope {
    /// Computes the envelope of lines `(height, slope)` over integers from `first` to `last`, in
    /// O(n log n).
    pub(crate) fn new(lines: Vec<(f64, f64)>, groups: Rc<[u32]>, [first, last]: [f64; 2]) -> Self {
        let mut order: Vec<u32> = (0..lines.len() as u32).collect();
        let of = |line: u32| lines[line as usize];
        order.sort_by(|&a, &b| {
            let ((height, slope), (other, steep)) = (of(a), of(b));
            slope.total_cmp(&steep).then(height.total_cmp(&other))
        });
        // The highest of several lines of equal slope is kept.
        order.dedup_by(|next, kept| {
            let same = of(*next).1 == of(*kept).1;
            if same {
                *kept = *next;
            }
            same
        });
        // The point from which the steeper line wins.
        let crossing = |low: u32, steep: u32| {
            let ((a, b), (c, d)) = (of(low), of(steep));
            (a - c) / (d - b)
        };
        let mut hull: Vec<u32> = Vec::new();
        for line in order {
            while let [.., before, top] = hull[..] {
                if crossing(top, line) > crossing(before, top) {
                    break;
                }
                hull.pop();
            }
            hull.push(line);
        }
        let mut segments = Vec::new();
        let mut from = first;
        for (at, &winner) in hull.iter().enumerate() {
            let end = hull
                .get(at + 1)
                .map_or(last, |&next| crossing(winner, next).floor().min(last));
            if end < from {
                continue;
            }
            segments.push(Segment {
                first: from,
                last: end,
                winner,
                margins: OnceCell::new(),
            });
            from = end + 1.0;
        }
        Self {
            lines,
            groups,
            segments,
        }
    }

    /// The winners over integers within bounds, each with its least margin there. Takes O(n) for
    /// each segment that is new or cut by the bounds.
    pub(crate) fn winners(&self, [first, last]: [f64; 2]) -> impl Iterator<Item = Won> + '_ {
        let within = self
            .segments
            .iter()
            .filter(move |segment| segment.last >= first && segment.first <= last);
        within.map(move |segment| {
            let ends = [segment.first.max(first), segment.last.min(last)];
            let of = |ends: [f64; 2]| ends.map(|x| self.margin(segment.winner, x));
            let margins = match ends == [segment.first, segment.last] {
                true => *segment.margins.get_or_init(|| of(ends)),
                false => of(ends),
            };
            let least = usize::from(margins[1].least < margins[0].least);
            Won {
                token: TokenId(segment.winner),
                margin: Margin {
                    least: margins[least].least,
                    of_group: margins[0].of_group.min(margins[1].of_group),
                },
                at: ends[least],
            }
        })
    }

    /// The margin of the winner at `x`.
    fn margin(&self, winner: u32, x: f64) -> Margin {
        let value = |(height, slope): (f64, f64)| height + slope * x;
        let best = value(self.lines[winner as usize]);
        let group = self.groups[winner as usize];
        let (mut least, mut of_group) = (f64::INFINITY, f64::INFINITY);
        for ((&line, &other), number) in self.lines.iter().zip(self.groups.iter()).zip(0..) {
            if number != winner {
                let margin = best - value(line);
                least = least.min(margin);
                if other != group {
                    of_group = of_group.min(margin);
                }
            }
        }
        Margin { least, of_group }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The winner and its margin at `x`, by a scan of all lines.
    fn scan(lines: &[(f64, f64)], x: f64) -> (u32, f64) {
        let value = |line: usize| lines[line].0 + lines[line].1 * x;
        let best = (0..lines.len())
            .max_by(|&a, &b| value(a).total_cmp(&value(b)))
            .unwrap();
        let others = (0..lines.len()).filter(|&line| line != best).map(value);
        (
            best as u32,
            value(best) - others.fold(f64::NEG_INFINITY, f64::max),
        )
    }

    #[test]
    fn agrees_with_a_scan() {
        let mut seed = 1_u64;
        let mut random = |bound: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            ((seed >> 33) % bound) as f64
        };
        for round in 0..200 {
            let lines: Vec<(f64, f64)> = (0..2 + round % 30)
                .map(|_| (random(200) - 100.0, random(20) - 10.0))
                .collect();
            let groups: Rc<[u32]> = lines
                .iter()
                .map(|&(_, slope)| slope as i32 as u32 & 1)
                .collect();
            let envelope = Envelope::new(lines.clone(), Rc::clone(&groups), [-50.0, 50.0]);
            for x in -50..=50 {
                let x = f64::from(x);
                let (_, margin) = scan(&lines, x);
                let won: Vec<Won> = envelope.winners([x, x]).collect();
                let [won] = won[..] else {
                    panic!("{won:?} at {x}")
                };
                let value = |(height, slope): (f64, f64)| height + slope * x;
                let best = lines
                    .iter()
                    .map(|&line| value(line))
                    .fold(f64::NEG_INFINITY, f64::max);
                assert_eq!(value(lines[won.token.0 as usize]), best, "{lines:?} at {x}");
                assert_eq!(won.margin.least, margin, "{lines:?} at {x}");
                let of_others =
                    (0..lines.len()).filter(|&line| groups[line] != groups[won.token.0 as usize]);
                let others = of_others
                    .map(|line| value(lines[line]))
                    .fold(f64::NEG_INFINITY, f64::max);
                assert_eq!(won.margin.of_group, best - others, "{lines:?} at {x}");
            }
            // The least margin over all integers is that of a scan.
            let least = (-50..=50)
                .map(|x| scan(&lines, x.into()).1)
                .fold(f64::INFINITY, f64::min);
            let won = envelope.winners([-50.0, 50.0]).map(|won| won.margin.least);
            assert_eq!(won.fold(f64::INFINITY, f64::min), least, "{lines:?}");
        }
    }
}
