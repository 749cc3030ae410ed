//! Recorded decoding workloads: the keys and queries of each head's index.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use weightware::{Computer, Decoder, Engine, HeadActivation, Program};
use weightware_hull::Point;

/// The keys that an index received, and the queries that followed each of them.
#[derive(Debug, Clone)]
pub struct Recording {
    /// The heads that had these keys, as (layer, head), the first one's queries first.
    pub heads: Vec<(usize, usize)>,
    /// The keys, one for each token.
    pub keys: Vec<Point>,
    /// The numbers of the tokens whose queries were kept.
    pub times: Vec<usize>,
    /// The distinct streams of queries of those heads, each with one query for every token that was
    /// kept.
    pub queries: Vec<Vec<Point>>,
}

/// Records the keys and queries of the compiled machine's live heads while it runs a program,
/// prompt included, for at most `tokens` tokens.
///
/// Heads of equal keys are one recording; heads of equal keys and queries have one stream of
/// queries. All keys are kept, and the queries of the tokens whose numbers `keep` selects. The
/// program is decoded twice, since the equality of heads is known only at the end.
///
/// # Panics
/// If the compiled model cannot be decoded.
#[must_use]
pub fn record(program: &Program, tokens: u64, keep: impl Fn(usize) -> bool) -> Vec<Recording> {
    let computer = Computer::default();
    let mut hashes: Vec<[DefaultHasher; 2]> = Vec::new();
    run(&computer, program, tokens, |calls| {
        hashes.resize_with(calls.len(), Default::default);
        for (hash, call) in hashes.iter_mut().zip(calls) {
            for (hash, point) in hash.iter_mut().zip([call.key, call.query]) {
                point.map(f64::to_bits).hash(hash);
            }
        }
    });
    let mut recordings: Vec<Recording> = Vec::new();
    let mut known: HashMap<[u64; 2], (usize, usize)> = HashMap::new();
    let mut by_key: HashMap<u64, usize> = HashMap::new();
    // For each head: its recording and stream of queries, and whether it is the one to be recorded.
    let mut plan: Vec<(usize, bool, usize, bool)> = Vec::new();
    for hash in &hashes {
        let hash = [hash[0].finish(), hash[1].finish()];
        let new_key = !by_key.contains_key(&hash[0]);
        let recording = *by_key.entry(hash[0]).or_insert_with(|| {
            recordings.push(Recording {
                heads: vec![],
                keys: vec![],
                times: vec![],
                queries: vec![],
            });
            recordings.len() - 1
        });
        let new_query = !known.contains_key(&hash);
        let (_, stream) = *known.entry(hash).or_insert_with(|| {
            recordings[recording].queries.push(vec![]);
            (recording, recordings[recording].queries.len() - 1)
        });
        plan.push((recording, new_key, stream, new_query));
    }
    let mut time = 0;
    run(&computer, program, tokens, |calls| {
        let kept = keep(time);
        for (call, &(recording, key, stream, query)) in calls.iter().zip(&plan) {
            let recording = &mut recordings[recording];
            if time == 0 {
                recording.heads.push((call.layer, call.head));
            }
            if key {
                recording.keys.push(call.key.into());
                if kept {
                    recording.times.push(time);
                }
            }
            if query && kept {
                recording.queries[stream].push(call.query.into());
            }
        }
        time += 1;
    });
    recordings
}

/// Decodes, and calls `see` with the activations of the heads at every token.
fn run(
    computer: &Computer,
    program: &Program,
    tokens: u64,
    mut see: impl FnMut(&[HeadActivation]),
) {
    let mut decoder =
        Decoder::new(computer.model(), Engine::Hull).expect("a compiled model is valid");
    let mut calls = Vec::new();
    let mut show = |decoder: &Decoder| {
        calls.clear();
        calls.extend(decoder.head_activations());
        see(&calls);
    };
    let mut left = tokens;
    for token in computer.prompt(program) {
        if left == 0 {
            return;
        }
        decoder.prefill(&[token]).expect("a prompt that fits");
        show(&decoder);
        left -= 1;
    }
    // The first generated token is known before it passes the layers, which happens when the second
    // is requested.
    let mut first = true;
    while left > 0 && decoder.generate(Some(1)).next().is_some() {
        if !first {
            show(&decoder);
            left -= 1;
        }
        first = false;
    }
}
