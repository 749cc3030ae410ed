//! The forward pass of one token through all layers.

use weightware_hull::{MAX_MAGNITUDE, MIN_MAGNITUDE};
use weightware_model::TokenId;

use crate::HorizonReason;
use crate::cache::{Answers, Full};
use crate::key_box::{KeyExtent, holds, live_lift};
use crate::network::{Head, Layer, Network};
use crate::qkv::Qkv;
use crate::sparse::{Vector, zero_vector};

/// A reader of the residual stream during a forward pass.
pub(crate) trait Observer {
    /// Reads the residual stream: the embedding, then the stream after each half-layer. Slots
    /// beyond the model's are zero.
    fn see(&mut self, x: &Vector);
}

/// An observer that does nothing.
impl Observer for () {
    #[inline]
    fn see(&mut self, _: &Vector) {}
}

/// The residual stream of one token, and buffers of its forward pass.
#[derive(Debug)]
pub(crate) struct ResidualStream {
    pub(crate) x: Vector,
    /// The outputs of heads or of neurons.
    inner: Vector,
    /// The distinct products of this token: queries, keys and values, and those of neurons.
    products: Vec<f64>,
    gates: Vec<f64>,
    /// The sums that tables add to slots.
    sums: Vec<f64>,
    /// The number of live heads whose products are computed.
    computed: usize,
    /// The extent of the live keys of each box.
    pub(crate) reach: Vec<KeyExtent>,
}

impl ResidualStream {
    pub(crate) fn new(network: &Network) -> Self {
        Self {
            x: zero_vector(),
            inner: zero_vector(),
            products: vec![0.0; network.products],
            gates: vec![0.0; network.gates],
            sums: vec![],
            computed: 0,
            reach: vec![KeyExtent::EMPTY; network.boxes],
        }
    }

    /// The queries, keys and values of the live heads so far at this token, in order.
    pub(crate) fn calls<'a>(&'a self, network: &'a Network) -> impl Iterator<Item = Qkv> + 'a {
        let heads = network.heads().take(self.computed);
        heads.map(|head| head.call(&self.products))
    }

    /// The extent of live keys of each head with a box: layer, number in the weights, least and
    /// greatest `x`, greatest lift.
    pub(crate) fn reached<'s>(
        &'s self,
        network: &'s Network,
    ) -> impl Iterator<Item = (usize, usize, [f64; 3])> + 's {
        let layers = network.layers.iter().zip(0..);
        let heads =
            layers.flat_map(|(layer, number)| layer.heads.iter().map(move |head| (number, head)));
        heads.filter_map(|(layer, head)| Some((layer, head.number, self.reach[head.boxed?].0)))
    }

    /// Runs a token at a position through all layers. Then `x` is its residual stream.
    pub(crate) fn forward(
        &mut self,
        network: &Network,
        cache: &mut impl Answers,
        token: TokenId,
        position: u64,
    ) -> Result<(), HorizonReason> {
        self.forward_observed(network, cache, token, position, &mut ())
    }

    /// Runs a token like [`forward`](Self::forward), with an observer of the residual stream.
    pub(crate) fn forward_observed(
        &mut self,
        network: &Network,
        cache: &mut impl Answers,
        token: TokenId,
        position: u64,
        observer: &mut impl Observer,
    ) -> Result<(), HorizonReason> {
        let row = token.0 as usize * network.d_model;
        self.x[..network.d_model].copy_from_slice(&network.embedding[row..][..network.d_model]);
        for feature in &network.position_features {
            self.x[feature.slot] += feature.at(position);
        }
        observer.see(&self.x);
        cache.begin();
        self.computed = 0;
        // A number that is out of range for a query may be a value in one layer, where it is in
        // range, and a query in the next.
        let mut in_doubt = false;
        for (number, layer) in network.layers.iter().enumerate() {
            self.attention(layer, number, cache, &mut in_doubt)?;
            observer.see(&self.x);
            self.feed_forward(layer);
            observer.see(&self.x);
        }
        // An overflow in a slot persists to the last layer.
        if self.x[..network.d_model].iter().all(|x| x.is_finite()) {
            Ok(())
        } else {
            Err(HorizonReason::Overflow)
        }
    }

    fn attention<C: Answers>(
        &mut self,
        layer: &Layer,
        number: usize,
        cache: &mut C,
        in_doubt: &mut bool,
    ) -> Result<(), HorizonReason> {
        let Self {
            x,
            inner,
            products,
            reach,
            ..
        } = self;
        let new = &mut products[layer.heads_at..][..layer.heads_in.len()];
        layer.heads_in.multiply(x, new);
        *in_doubt |= !all_fit(new, C::EXACT);
        for of_keys in &layer.boxes {
            let key = of_keys.key.map(|place| products[place]);
            *in_doubt |= !check_box(key, of_keys.bound, &mut reach[of_keys.number]);
        }
        let first = self.computed;
        if *in_doubt {
            for head in &layer.heads {
                check(head, number, &head.call(products), C::EXACT)?;
                self.computed += 1;
            }
        } else {
            self.computed += layer.heads.len();
        }
        let answers = &mut inner[..layer.lookups.answers.len()];
        cache
            .answer(layer, first, products, answers)
            .map_err(|Full(i)| HorizonReason::Full {
                layer: number,
                head: layer.heads[i].number,
            })?;
        layer.heads_out.apply(inner, x);
        Ok(())
    }

    fn feed_forward(&mut self, layer: &Layer) {
        let Self {
            x,
            inner,
            gates,
            sums,
            ..
        } = self;
        let new = &mut gates[layer.neurons_at..][..layer.neurons_in.len()];
        layer.neurons_in.multiply(x, new);
        for (product, &[gate, value]) in inner.iter_mut().zip(&layer.neurons) {
            let gate = gates[gate];
            let open = if gate <= 0.0 { 0.0 } else { gate };
            *product = open * gates[value];
        }
        if !layer.looked.is_empty() {
            layer.looked.sums(x, inner, sums);
        }
        layer.neurons_out.apply(inner, x);
        if !layer.looked.is_empty() {
            for (slot, sum) in layer.looked.slots.iter().zip(sums) {
                x[slot.slot] += *sum;
            }
        }
    }
}

/// Whether numbers are in range for queries, keys and values alike.
#[inline]
fn all_fit(numbers: &[f64], exact: bool) -> bool {
    let least = if exact { MIN_MAGNITUDE } else { 0.0 };
    // Without branches the loop is vectorised. NaN is out of range.
    numbers.iter().fold(true, |fit, number| {
        let magnitude = number.abs();
        fit & (magnitude <= MAX_MAGNITUDE) & ((magnitude >= least) | (magnitude == 0.0))
    })
}

/// Whether a key is in its box. If so, extends the extent of live keys by it.
#[inline]
fn check_box(key: [f64; 2], bound: [f64; 2], extent: &mut KeyExtent) -> bool {
    let Some(lift) = live_lift(key) else {
        return true;
    };
    let inside = holds(bound, key[0], lift);
    if inside {
        extent.include(key, lift);
    }
    inside
}

/// Checks that a head's numbers are in range, and its key within its box.
#[cold]
fn check(head: &Head, layer: usize, call: &Qkv, exact: bool) -> Result<(), HorizonReason> {
    let Qkv { query, key, value } = call;
    // NaN is not contained.
    let fits = |number: f64| (-MAX_MAGNITUDE..=MAX_MAGNITUDE).contains(&number);
    let [a, b] = *value;
    let in_range = if exact {
        query.in_domain() && key.in_domain() && fits(a) && fits(b)
    } else {
        [query.x, query.y, key.x, key.y, a, b].into_iter().all(fits)
    };
    if !in_range {
        return Err(HorizonReason::Range {
            layer,
            head: head.number,
        });
    }
    if let Some(bound) = head.bound
        && let Some(lift) = live_lift([key.x, key.y])
        && !holds(bound, key.x, lift)
    {
        return Err(HorizonReason::KeyBound {
            layer,
            head: head.number,
            x: key.x,
            lift,
        });
    }
    Ok(())
}
