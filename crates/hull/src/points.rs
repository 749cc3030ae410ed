//! A list of points that is often a progression.

use alloc::vec::Vec;

use crate::Point;
use crate::exact::FILTER;

/// A list of points. While each is where the first three say, as keys `(2t, -t²)` of a stream are,
/// it takes no memory beyond itself, reading from it touches none, and a winner is told by one comparison.
#[derive(Clone, Debug)]
pub(crate) enum Points {
    Run(Run),
    List(Vec<Point>),
}

/// Part of a progression: its points `from` to `until`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Run {
    progression: Progression,
    from: u32,
    until: u32,
}

/// Point `i` is `(x + dx i, y + (dy + c i) i)`. Of three points or more, every operation of that is
/// exact up to point [`MOST`](Progression::MOST), as is `dy + 2 c i`.
#[derive(Clone, Copy, Debug, Default)]
struct Progression {
    /// `(x, y)` and `(dx, dy)`.
    first: Point,
    step: Point,
    /// `c`.
    curve: f64,
}

impl Progression {
    /// The points before this one may be there.
    const MOST: u32 = 512;

    #[inline]
    fn at(&self, i: f64) -> Point {
        let Self { first, step, curve } = self;
        Point::new(first.x + step.x * i, first.y + (step.y + curve * i) * i)
    }

    /// The progression whose points before `i` are the same, and whose point `i` is `point`, if there is
    /// one.
    #[inline]
    fn extended(mut self, i: u32, point: Point) -> Option<Self> {
        if i <= 2 {
            self = self.begun(i, point)?;
        }
        (i < Self::MOST && self.at(f64::from(i)).is(point)).then_some(self)
    }

    /// The same for the first three points.
    fn begun(mut self, i: u32, point: Point) -> Option<Self> {
        let Point { x, y } = self.first;
        match i {
            0 => self.first = point,
            1 => {
                self.step = Point::new(point.x - x, point.y - y);
                self.curve = 0.0;
            }
            _ => {
                let before = self.at(1.0);
                let step = before.y - y;
                self.curve = 0.5 * ((point.y - before.y) - step);
                self.step.y = step - self.curve;
                if !self.is_exact() || !self.at(1.0).is(before) {
                    return None;
                }
            }
        }
        Some(self)
    }

    /// Whether all numbers on the way to a point are multiples of a unit and too small to be rounded.
    fn is_exact(&self) -> bool {
        let Self { first, step, curve } = *self;
        let unit = [first.x, first.y, step.x, step.y, curve]
            .into_iter()
            .filter(|&v| v != 0.0)
            .map(lowest_bit)
            .fold(f64::INFINITY, f64::min);
        let most = f64::from(Self::MOST);
        let greatest = (first.x.abs() + most * step.x.abs())
            .max(first.y.abs() + most * (step.y.abs() + most * curve.abs()));
        // Rounded, hence not the 2^53 that would do.
        greatest < unit * f64::from(1 << 26) * f64::from(1 << 26)
    }
}

/// The lowest bit that is set, as a number; of numbers far from the subnormal.
fn lowest_bit(v: f64) -> f64 {
    let bits = v.to_bits();
    let fraction = bits & ((1 << 52) - 1) | 1 << 52;
    let exponent = bits >> 52 & 0x7ff;
    f64::from_bits((exponent + u64::from(fraction.trailing_zeros())).saturating_sub(52) << 52)
}

impl Run {
    #[inline]
    pub(crate) fn len(&self) -> usize {
        (self.until - self.from) as usize
    }

    /// A point that is there.
    #[inline]
    pub(crate) fn at(&self, i: usize) -> Point {
        debug_assert!(i < self.len(), "point {i} of {}", self.len());
        self.progression.at(f64::from(self.from + i as u32))
    }

    /// Which of point `i` and the one behind it has a greater score than both its neighbours, if one does
    /// and it is easily told. For a query whose y is positive. `is_end` says of the first and of the last
    /// point whether it has no neighbour outside.
    ///
    /// From point `i` the score rises by `s + w` to the next, and by `s - w` from the one before, where
    /// `s = q.x dx + q.y (dy + 2 c i)` and `w = q.y c`; one point on, `s` is `2 w` greater.
    #[inline]
    pub(crate) fn peak(&self, q: Point, i: usize, is_end: [bool; 2]) -> Option<usize> {
        let Progression { step, curve, .. } = self.progression;
        let at = f64::from(self.from + i as u32);
        let (a, b) = (q.x * step.x, q.y * (step.y + 2.0 * curve * at));
        let (s, w) = (a + b, q.y * curve);
        // Of two points the step may be rounded: for that, too, there is room.
        let limit = -w - 2.0 * FILTER * (a.abs() + b.abs() + w.abs());
        let wins = |i: usize, s: f64| {
            let rises_to = if i == 0 { is_end[0] } else { -s < limit };
            let rises_from = if i + 1 == self.len() {
                !is_end[1]
            } else {
                s >= limit
            };
            rises_to && !rises_from
        };
        if wins(i, s) {
            Some(i)
        } else if i + 1 < self.len() && wins(i + 1, s + 2.0 * w) {
            Some(i + 1)
        } else {
            None
        }
    }

    /// About where the score is greatest.
    #[inline]
    pub(crate) fn guess(&self, q: Point) -> usize {
        let Progression { step, curve, .. } = self.progression;
        let at = (q.x * step.x + q.y * step.y) / (-2.0 * q.y * curve);
        // A conversion saturates, and makes 0 of NaN.
        let at = (at - f64::from(self.from) + 0.5) as usize;
        at.min(self.len() - 1)
    }

    fn list(&self, capacity: usize) -> Vec<Point> {
        let mut list = Vec::with_capacity(capacity.max(self.len()));
        list.extend((0..self.len()).map(|i| self.at(i)));
        list
    }
}

impl Default for Points {
    fn default() -> Self {
        Self::Run(Run::default())
    }
}

impl Points {
    #[inline]
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Run(run) => run.len(),
            Self::List(list) => list.len(),
        }
    }

    /// A point that is there.
    #[inline]
    pub(crate) fn at(&self, i: usize) -> Point {
        match self {
            Self::Run(run) => run.at(i),
            Self::List(list) => list[i],
        }
    }

    /// The first and the last point of a list that is not empty.
    #[inline]
    pub(crate) fn ends(&self) -> [Point; 2] {
        [self.at(0), self.at(self.len() - 1)]
    }

    #[inline]
    pub(crate) fn push(&mut self, point: Point) {
        if let Self::Run(run) = self {
            if let Some(extended) = run.progression.extended(run.until, point) {
                run.progression = extended;
                run.until += 1;
                return;
            }
            *self = Self::List(run.list((run.len() + 1).next_power_of_two()));
        }
        self.list().push(point);
    }

    pub(crate) fn insert(&mut self, at: usize, point: Point) {
        if at == self.len() {
            self.push(point);
        } else {
            self.list().insert(at, point);
        }
    }

    pub(crate) fn replace(&mut self, at: usize, point: Point) {
        if at + 1 == self.len() {
            self.remove(at);
            self.push(point);
        } else {
            self.list()[at] = point;
        }
    }

    pub(crate) fn remove(&mut self, at: usize) {
        match self {
            Self::Run(run) if run.len() == 1 => *run = Run::default(),
            Self::Run(run) if at + 1 == run.len() => run.until -= 1,
            Self::Run(run) if at == 0 => run.from += 1,
            _ => {
                self.list().remove(at);
            }
        }
    }

    pub(crate) fn split_off(&mut self, at: usize) -> Self {
        match self {
            Self::Run(run) => {
                let middle = run.from + at as u32;
                let right = Run {
                    from: middle,
                    ..*run
                };
                run.until = middle;
                Self::Run(right)
            }
            Self::List(list) => Self::List(list.split_off(at)),
        }
    }

    /// Appends the points of another list, and leaves it empty.
    pub(crate) fn append(&mut self, other: &mut Self) {
        for at in 0..other.len() {
            self.push(other.at(at));
        }
        *other = Self::default();
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        match self {
            Self::Run(_) => 0,
            Self::List(list) => list.capacity() * size_of::<Point>(),
        }
    }

    /// The points as a list, from now on.
    #[inline]
    fn list(&mut self) -> &mut Vec<Point> {
        if let Self::Run(run) = self {
            *self = Self::List(run.list(0));
        }
        match self {
            Self::List(list) => list,
            Self::Run(_) => unreachable!("it was made a list"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parabola(i: u32) -> Point {
        let t = f64::from(i);
        Point::new(2.0 * t, -t * t)
    }

    /// Reproduces what it was given, whatever is done to it.
    #[test]
    fn behaves_as_a_vec() {
        let mut state = 7u64;
        let mut next = |n: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) as usize % n
        };
        let odd = [
            Point::new(0.1, 0.3),
            Point::new(-0.0, -0.0),
            Point::new(1e100, 1e-100),
            Point::new(3.0, f64::MAX / 1e100),
        ];
        for round in 0..if cfg!(miri) { 9 } else { 400 } {
            let mut points = Points::default();
            let mut model: Vec<Point> = Vec::new();
            let scale = [1.0, 0.1, 1e100][round % 3];
            for step in 0..60 {
                let at = next(model.len() + 1);
                let is_progression = next(12) != 0;
                let point = if is_progression {
                    let p = parabola(model.len() as u32);
                    Point::new(p.x * scale, p.y * scale)
                } else {
                    odd[next(odd.len())]
                };
                match next(14) {
                    0 if step > 20 => {
                        points.insert(at, point);
                        model.insert(at, point);
                    }
                    1 if at < model.len() => {
                        points.replace(at, point);
                        model[at] = point;
                    }
                    2 if at < model.len() => {
                        points.remove(at);
                        model.remove(at);
                    }
                    3 if !model.is_empty() => {
                        points.remove(model.len() - 1);
                        model.pop();
                    }
                    4 if !model.is_empty() => {
                        points.remove(0);
                        model.remove(0);
                    }
                    5 => {
                        let mut right = points.split_off(at);
                        if at % 2 == 0 {
                            right.append(&mut Points::default());
                            points.append(&mut right);
                        } else {
                            let mut whole = Points::default();
                            whole.append(&mut points);
                            whole.append(&mut right);
                            points = whole;
                        }
                    }
                    _ => {
                        points.push(point);
                        model.push(point);
                    }
                }
                assert_eq!(points.len(), model.len());
                for (i, expected) in model.iter().enumerate() {
                    assert!(points.at(i).is(*expected), "{i}: {points:?}, {model:?}");
                }
            }
        }
    }

    #[test]
    fn progressions_take_no_memory() {
        let mut points = Points::default();
        (0..256).for_each(|i| points.push(parabola(i + 1_000_000)));
        assert_eq!(points.heap_bytes(), 0);
        points.remove(0);
        let right = points.split_off(100);
        assert_eq!((points.heap_bytes(), right.heap_bytes()), (0, 0));
        assert!(right.at(3).is(parabola(1_000_104)));
        points.push(Point::new(0.0, 0.0));
        assert_eq!(points.len(), 101);
        assert!(points.heap_bytes() > 0);
    }
}
