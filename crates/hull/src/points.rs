//! A list of points, packed while they are in exact progression.

use alloc::vec::Vec;

use crate::Point;
use crate::progression::Run;

/// A run holds points of its progression with an index below this one.
const MOST: u32 = 512;

/// A list of points. While the first three determine the others, as for keys `(2t, -t²)` of a
/// stream, the list takes no memory beyond itself, a read touches none, and one comparison decides
/// whether a point wins.
#[derive(Clone, Debug)]
pub(crate) enum Points {
    Run(Run),
    List(Vec<Point>),
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

    /// The point at an index, which must be below the length.
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
            if let Some(longer) = run.extended(point, MOST) {
                *run = longer;
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
            Self::Run(run) if at + 1 == run.len() => run.remove_last(),
            Self::Run(run) if at == 0 => run.remove_first(),
            _ => {
                self.list().remove(at);
            }
        }
    }

    pub(crate) fn split_off(&mut self, at: usize) -> Self {
        match self {
            Self::Run(run) => Self::Run(run.split_off(at)),
            Self::List(list) => Self::List(list.split_off(at)),
        }
    }

    /// Appends the points of another list, and leaves that one empty.
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

    /// The points as a vector. The list stays unpacked from now on.
    #[inline]
    fn list(&mut self) -> &mut Vec<Point> {
        if let Self::Run(run) = self {
            *self = Self::List(run.list(0));
        }
        match self {
            Self::List(list) => list,
            Self::Run(_) => unreachable!("a run was unpacked above"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn parabola(i: u32) -> Point {
        let t = f64::from(i);
        Point::new(2.0 * t, -t * t)
    }

    /// Random operations have the same effect on the list and on a `Vec`.
    #[test]
    fn behaves_as_a_vec() {
        let mut random = Random::new(7);
        let mut next = |n: usize| random.below(n);
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
