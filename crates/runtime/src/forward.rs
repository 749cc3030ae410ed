//! One token through all layers.

use weightware_hull::{MAX_MAGNITUDE, Point};
use weightware_model::TokenId;

use crate::Why;
use crate::cache::{Cache, Call, Full};
use crate::network::{Head, Layer, Network};
use crate::sparse::{Vector, zero_vector};

/// No live key yet.
pub(crate) const NOWHERE: [f64; 3] = [f64::INFINITY, f64::NEG_INFINITY, 0.0];

/// The residual stream and scratch space.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) x: Vector,
    /// What heads or neurons give.
    inner: Vector,
    sums: Vec<f64>,
    /// What the live heads of the layers so far asked and offered at this token.
    pub(crate) calls: Vec<Call>,
    /// By live head: least and greatest `x` and greatest lift of the live keys, where a head has a box.
    pub(crate) reach: Vec<[f64; 3]>,
}

impl Stream {
    pub(crate) fn new(network: &Network) -> Self {
        Self {
            reach: vec![NOWHERE; network.heads().count()],
            x: zero_vector(),
            inner: zero_vector(),
            sums: Vec::new(),
            calls: Vec::new(),
        }
    }

    /// How far the live keys of heads with a box went: layer, number, least and greatest `x`, greatest lift.
    pub(crate) fn reached<'s>(
        &'s self,
        network: &'s Network,
    ) -> impl Iterator<Item = (usize, usize, [f64; 3])> + 's {
        let layers = network.layers.iter().zip(0..);
        let heads =
            layers.flat_map(|(layer, number)| layer.heads.iter().map(move |head| (number, head)));
        heads
            .zip(&self.reach)
            .filter(|((_, head), _)| head.bound.is_some())
            .map(|((layer, head), &reach)| (layer, head.number, reach))
    }

    /// Leaves in `x` the residual stream of `token` at `position` after the last layer.
    pub(crate) fn forward(
        &mut self,
        network: &Network,
        cache: &mut impl Cache,
        token: TokenId,
        position: u64,
    ) -> Result<(), Why> {
        let row = token.0 as usize * network.d_model;
        self.x[..network.d_model].copy_from_slice(&network.embedding[row..][..network.d_model]);
        for feature in &network.position_features {
            self.x[feature.slot] += feature.at(position);
        }
        cache.begin();
        self.calls.clear();
        let mut first = 0;
        for (number, layer) in network.layers.iter().enumerate() {
            self.attention(layer, number, first, cache)?;
            self.feed_forward(layer);
            first += layer.heads.len();
        }
        // A slot that overflows never becomes finite again.
        if self.x[..network.d_model].iter().all(|x| x.is_finite()) {
            Ok(())
        } else {
            Err(Why::Overflow)
        }
    }

    fn attention<C: Cache>(
        &mut self,
        layer: &Layer,
        number: usize,
        first: usize,
        cache: &mut C,
    ) -> Result<(), Why> {
        let Self {
            x,
            inner,
            sums,
            calls,
            reach,
        } = self;
        layer.heads_in.multiply(x, sums);
        for (head, reach) in layer.heads.iter().zip(&mut reach[first..]) {
            let call = Call {
                query: Point {
                    x: sums[head.query[0]],
                    y: sums[head.query[1]],
                },
                key: Point {
                    x: sums[head.key[0]],
                    y: sums[head.key[1]],
                },
                value: head.value.map(|row| sums[row]),
            };
            check(head, number, &call, C::EXACT, reach)?;
            calls.push(call);
        }
        let calls = &calls[first..];
        let (answers, _) = inner.as_chunks_mut();
        cache
            .attend(first, calls, &mut answers[..calls.len()])
            .map_err(|Full(i)| Why::Full {
                layer: number,
                head: layer.heads[i].number,
            })?;
        layer.heads_out.apply(inner, sums, x);
        Ok(())
    }

    fn feed_forward(&mut self, layer: &Layer) {
        let Self { x, inner, sums, .. } = self;
        layer.neurons_in.multiply(x, sums);
        for (product, &[gate, value]) in inner.iter_mut().zip(&layer.neurons) {
            let gate = sums[gate];
            let open = if gate <= 0.0 { 0.0 } else { gate };
            *product = open * sums[value];
        }
        layer.neurons_out.apply(inner, sums, x);
    }
}

/// Checks that a head's numbers are in range and its key within its box; remembers how far live keys went.
#[inline]
fn check(
    head: &Head,
    layer: usize,
    call: &Call,
    exact: bool,
    reach: &mut [f64; 3],
) -> Result<(), Why> {
    let Call { query, key, value } = call;
    // Not a number is not contained.
    let fits = |number: f64| (-MAX_MAGNITUDE..=MAX_MAGNITUDE).contains(&number);
    let [a, b] = *value;
    let in_range = if exact {
        query.in_domain() && key.in_domain() && fits(a) && fits(b)
    } else {
        [query.x, query.y, key.x, key.y, a, b].into_iter().all(fits)
    };
    if !in_range {
        return Err(Why::Range {
            layer,
            head: head.number,
        });
    }
    if let Some([max_abs_x, max_lift]) = head.bound {
        let half = key.x / 2.0;
        let lift = key.y + half * half;
        if lift >= -0.5 {
            if !(key.x.abs() <= max_abs_x && lift <= max_lift) {
                return Err(Why::KeyBound {
                    layer,
                    head: head.number,
                    x: key.x,
                    lift,
                });
            }
            // The key of a token whose embedding is zero says nothing.
            if (key.x, key.y) != (0.0, 0.0) {
                let [least, greatest, highest] = *reach;
                *reach = [least.min(key.x), greatest.max(key.x), highest.max(lift)];
            }
        }
    }
    Ok(())
}
