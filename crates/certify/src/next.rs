//! Proof of the next token: for every operand, the unembedding selects exactly one token, with a
//! margin.
//!
//! The network distinguishes tokens by three things: the token that one lookup finds (in an
//! executor the opcode), a counter (the byte index), and the class of the token's own id. For each
//! combination, the analysis bounds the columns that the unembedding reads, from the weights alone
//! and for every sequence of tokens whose keys are inside their boxes. The proof then finds the
//! least margin between the best and the second-best logit over all integers within the bounds.
//!
//! The counter is followed from 0 on, until every token that can win resets it.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use weightware_analysis::{
    Analysis, Assumptions, Atom, Bailout, Cases, Counted, HeadAt, PolyId, Range, Scope,
    SparseWeights,
};
use weightware_model::{Model, TokenId};

use crate::envelope::{Envelope, Won};

/// The greatest value to which a counter is followed. No instruction is longer.
const LONGEST: u64 = 32;

/// The greatest number of combinations of the columns other than the lightest one.
const COMBINATIONS: usize = 1 << 12;

/// The greatest magnitude of an integer column; logits of a greater one would be rounded.
const FARTHEST: f64 = (1_u64 << 44) as f64;

/// The proof of a model's next tokens.
#[derive(Debug, Clone, PartialEq)]
pub struct NextTokens {
    /// The proof for each token that the lookup can find. These are the tokens of programs, which
    /// the network never generates.
    pub found: Vec<Found>,
    /// The limits of the tables that hold only if the table's argument stays within them, which
    /// the weights alone do not show. Plans check each at every token.
    pub limits: Vec<f64>,
    /// The reason for which nothing is proved.
    pub refused: Option<String>,
}

/// The proof of the next token where the lookup finds a given token.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The string of one of the tokens that the network does not distinguish.
    pub name: String,
    /// The number of tokens that the network does not distinguish.
    pub tokens: usize,
    /// The proof for each value of the counter, from 0 on.
    pub counters: Vec<Picked>,
}

/// The proof of the next token at one value of the counter.
#[derive(Debug, Clone, PartialEq)]
pub struct Picked {
    /// The columns that the unembedding reads: slot, least and greatest value.
    pub columns: Vec<(usize, f64, f64)>,
    /// The least margin between the best logit and the second, less the greatest rounding error.
    pub margin: f64,
    /// The least margin against tokens of other codes, less the greatest rounding error. Tokens
    /// have other codes if their weights differ in a column other than the lightest.
    pub code_margin: f64,
    /// The token that wins with the least margin.
    pub token: TokenId,
    /// The columns where the margin is least: slot and value.
    pub least_at: Vec<(usize, f64)>,
    /// Whether every token that can win resets the counter.
    pub ends: bool,
    /// The reason for which a single winner is not proved.
    pub problem: Option<String>,
}

impl NextTokens {
    /// All cases: the name of the token found, the counter, and the proof.
    pub fn all(&self) -> impl Iterator<Item = (&str, u64, &Picked)> {
        self.found.iter().flat_map(|found| {
            let counters = (0..).zip(&found.counters);
            counters.map(|(counter, picked)| (found.name.as_str(), counter, picked))
        })
    }

    /// The case with the least margin.
    #[must_use]
    pub fn least(&self) -> Option<(&str, u64, &Picked)> {
        self.all()
            .min_by(|(.., a), (.., b)| a.margin.total_cmp(&b.margin))
    }

    /// The case with the least margin against tokens of other codes.
    #[must_use]
    pub fn least_of_codes(&self) -> Option<(&str, u64, &Picked)> {
        self.all()
            .min_by(|(.., a), (.., b)| a.code_margin.total_cmp(&b.code_margin))
    }

    /// The cases that are not proved, and the reasons.
    pub fn problems(&self) -> impl Iterator<Item = String> + '_ {
        let refused = self.refused.iter();
        let refused = refused.map(|why| format!("the next token: {why}"));
        refused.chain(self.all().filter_map(|(name, counter, picked)| {
            let problem = picked.problem.as_ref()?;
            Some(format!("`{name}`, byte {counter}: {problem}"))
        }))
    }
}

/// Proves the next tokens of a model. Sequences begin with the token whose embedding is zero, which
/// does not occur again.
///
/// Reads only weights and `config.json`. Takes about a second for the executor.
///
/// # Panics
/// If the model is inconsistent, which [`Model::validate`] excludes.
#[must_use]
pub fn next_tokens(model: &Model) -> NextTokens {
    let proved = Prover::new(model).and_then(|mut prover| Ok((prover.limits()?, prover.prove()?)));
    match proved {
        Ok((limits, found)) => NextTokens {
            found,
            limits,
            refused: None,
        },
        Err(why) => NextTokens {
            found: vec![],
            limits: vec![],
            refused: Some(why),
        },
    }
}

/// A value of a head: the head by layer and place, and the index of the value.
type Answer = (HeadAt, usize);

/// The greatest depth of nested case distinctions.
const CASES: u32 = 3;

struct Prover {
    /// The strings of tokens.
    strings: Vec<String>,
    first: usize,
    /// The columns that are not the same constant for all tokens except the first.
    varying: Vec<usize>,
    /// The column of `varying` whose greatest weight is the least.
    lightest: usize,
    rows: Arc<SparseWeights>,
    analysis: Analysis,
    cases: Cases,
    /// The group of each token. Tokens of one group have equal weights in all varying columns
    /// except the lightest.
    groups: Rc<[u32]>,
    /// Envelopes by the bits of all columns. The column that lines run along is `NaN` in the key.
    envelopes: HashMap<Vec<u64>, Envelope>,
}

type Result<T> = std::result::Result<T, String>;

fn refused(bailout: Bailout) -> String {
    format!("the weights are not analysed: {bailout:?}")
}

impl Prover {
    fn new(model: &Model) -> Result<Self> {
        let rows = Arc::new(SparseWeights::new(model));
        let zero = |id: &usize| (0..rows.d_model).all(|slot| rows.embedded(*id, slot) == 0.0);
        let mut zeros = (0..rows.vocab).filter(zero);
        let (Some(first), None) = (zeros.next(), zeros.next()) else {
            return Err(
                "not one token alone has an embedding of zero, to begin sequences".to_owned(),
            );
        };
        let assumptions = Assumptions::beginning_with(first);
        let offers = Arc::new(rows.offers(first));
        let mut analysis = Analysis::new(&rows, &offers, &assumptions).map_err(refused)?;
        let cases = Cases::new(&mut analysis);
        let mut scope = analysis.scope(0);
        let mut varying = vec![];
        for (at, &slot) in rows.columns.iter().enumerate() {
            let form = analysis.slot(&mut scope, 2 * rows.layers.len(), slot);
            if analysis.interner[form.map_err(refused)?]
                .as_constant()
                .is_none()
            {
                varying.push(at);
            }
        }
        analysis.end(scope);
        let heaviest = |at: &usize| {
            rows.head[*at]
                .iter()
                .fold(0.0_f64, |most, w| most.max(w.abs()))
        };
        let lightest = varying
            .iter()
            .copied()
            .min_by(|a, b| heaviest(a).total_cmp(&heaviest(b)));
        let lightest = lightest.ok_or("the unembedding reads constants alone")?;
        let mut known = HashMap::new();
        let groups = (0..rows.vocab).map(|id| {
            let decisive = varying.iter().filter(|&&at| at != lightest);
            let weights: Vec<u64> = decisive.map(|&at| rows.head[at][id].to_bits()).collect();
            let next = known.len() as u32;
            *known.entry(weights).or_insert(next)
        });
        let groups = groups.collect();
        if cases.counter.is_none() || cases.fetched.is_empty() {
            return Err("no lookup and no counter tell tokens apart".to_owned());
        }
        Ok(Self {
            strings: model.tokenizer.strings().to_vec(),
            first,
            lightest,
            groups,
            varying,
            rows,
            analysis,
            cases,
            envelopes: HashMap::new(),
        })
    }

    /// The limits of tables that are assumed to hold.
    fn limits(&mut self) -> Result<Vec<f64>> {
        let mut scope = self.analysis.scope(0);
        let unlimited = self.analysis.unlimited(&mut scope).map_err(refused);
        self.analysis.end(scope);
        Ok(unlimited?.into_iter().map(|(_, limit)| limit).collect())
    }

    fn prove(&mut self) -> Result<Vec<Found>> {
        let mut all = vec![];
        for kind in 0..self.cases.kinds {
            let of_kind = |id: &usize| usize::from(self.cases.kind_of[*id]) == kind;
            let mut tokens =
                (0..self.rows.vocab).filter(|id| of_kind(id) && self.makes_programs(*id));
            let Some(token) = tokens.next() else {
                continue;
            };
            let (name, tokens) = (self.strings[token].clone(), 1 + tokens.count());
            let mut counters = vec![];
            loop {
                let picked = self.pick(kind, counters.len() as f64)?;
                let done = picked.ends || counters.len() as u64 == LONGEST;
                counters.push(picked);
                if done {
                    break;
                }
            }
            all.push(Found {
                name,
                tokens,
                counters,
            });
        }
        Ok(all)
    }

    /// Whether a token occurs only in prompts: it does not begin the sequence, and its logit is a
    /// constant below all others.
    fn makes_programs(&self, id: usize) -> bool {
        if id == self.first {
            return false;
        }
        let weights = self.rows.head.iter().map(|column| column[id]);
        weights.filter(|weight| *weight != 0.0).count() <= 1
            && self.rows.head.iter().any(|column| column[id] <= -FARTHEST)
    }

    /// The proof for tokens of all classes.
    fn pick(&mut self, kind: usize, counter: f64) -> Result<Picked> {
        let mut all: Option<Picked> = None;
        for class in 1..self.cases.classes as u16 {
            // A token that resets the counter is found by its own lookup, so the counter is 0 at
            // such tokens and nowhere else.
            let Range { lo, hi, .. } = self.setting_back(class)?;
            if (hi < 0.0 && counter == 0.0) || (lo >= 0.0 && counter > 0.0) {
                continue;
            }
            let picked = self.pick_by_cases((class, kind, counter), &[], CASES)?;
            all = Some(match all {
                None => picked,
                Some(all) => all.and(picked),
            });
        }
        all.ok_or_else(|| "no class of tokens".to_owned())
    }

    /// The proof under assumed bounds of some values. If it fails, a neuron's threshold divides the
    /// case into two, up to the given depth.
    fn pick_by_cases(
        &mut self,
        at: (u16, usize, f64),
        assumed: &[(Answer, PolyId)],
        depth: u32,
    ) -> Result<Picked> {
        let (class, kind, counter) = at;
        let counted = Counted::Exactly(counter);
        let mut scope = self.cases.scope(&mut self.analysis, class, kind, counted);
        for &(answer, form) in assumed {
            scope.assume(answer, form);
        }
        let picked = self.pick_in(&mut scope);
        let divided = match &picked {
            Ok(picked) if picked.problem.is_some() && depth > 0 => self.divide(&mut scope),
            _ => None,
        };
        self.analysis.end(scope);
        let Some((answer, halves)) = divided else {
            return picked;
        };
        let [low, high] = halves.map(|half| {
            let assumed: Vec<_> = assumed.iter().copied().chain([(answer, half)]).collect();
            self.pick_by_cases(at, &assumed, depth - 1)
        });
        Ok(low?.and(high?))
    }

    /// A value at which a neuron of the unembedding's columns opens, and its bounds below and above
    /// that threshold.
    fn divide(&mut self, scope: &mut Scope) -> Option<(Answer, [PolyId; 2])> {
        let last = 2 * self.rows.layers.len();
        let rows = Arc::clone(&self.rows);
        let (atom, point) = rows.columns.iter().find_map(|&slot| {
            let form = self.analysis.slot(scope, last, slot).ok()?;
            self.analysis
                .interner
                .threshold(&self.analysis.interner[form])
        })?;
        let answer = self.answering(scope, atom)?;
        let Range { lo, hi, .. } = self.analysis.interner.range_of(atom);
        let halves = [[lo, point], [point + 1.0, hi]];
        Some((
            answer,
            halves.map(|bounds| self.analysis.interner.within(atom, bounds)),
        ))
    }

    /// The head whose value an atom is, and the index of the value.
    fn answering(&mut self, scope: &mut Scope, atom: Atom) -> Option<Answer> {
        for layer in 0..self.rows.layers.len() {
            for head in 0..self.rows.layers[layer].heads.len() {
                let answers = self.analysis.answers(scope, (layer, head)).ok()?;
                let of = |&form: &PolyId| self.analysis.interner[form].as_atom() == Some(atom);
                if let Some(part) = answers.iter().position(of) {
                    return Some(((layer, head), part));
                }
            }
        }
        None
    }

    fn pick_in(&mut self, scope: &mut Scope) -> Result<Picked> {
        let last = 2 * self.rows.layers.len();
        let rows = Arc::clone(&self.rows);
        let mut forms = vec![];
        for &slot in &rows.columns {
            forms.push(self.analysis.slot(scope, last, slot).map_err(refused)?);
        }
        let atoms = &self.analysis.interner;
        let ranges: Vec<Range> = forms
            .iter()
            .map(|&form| atoms.tight(&atoms[form]))
            .collect();
        let mut picked = Picked {
            columns: rows
                .columns
                .iter()
                .zip(&ranges)
                .map(|(&slot, range)| (slot, range.lo, range.hi))
                .collect(),
            margin: f64::INFINITY,
            code_margin: f64::INFINITY,
            token: TokenId(0),
            least_at: rows.columns.iter().map(|&slot| (slot, 0.0)).collect(),
            ends: true,
            problem: None,
        };
        if let Some(slot) = ranges.iter().position(|range| range.grain < 0) {
            picked.problem = Some(format!("slot {} may hold a fraction", rows.columns[slot]));
            return Ok(picked);
        }
        // Logits are lines along the lightest column; all combinations of the other columns are
        // tried.
        let along = self.lightest;
        if ranges[along].size() > FARTHEST {
            let (slot, Range { lo, hi, .. }) = (rows.columns[along], ranges[along]);
            picked.problem = Some(format!(
                "slot {slot} is only known to lie between {lo:e} and {hi:e}"
            ));
            return Ok(picked);
        }
        let Some(combinations) = self.combinations(&forms, &ranges, along) else {
            picked.problem = Some("too many combinations of what the unembedding reads".to_owned());
            return Ok(picked);
        };
        for columns in combinations {
            self.judge(&columns, along, ranges[along], &mut picked)?;
            if picked.problem.is_some() {
                break;
            }
        }
        if picked.problem.is_none() && picked.margin <= 0.0 {
            let name = &self.strings[picked.token.0 as usize];
            let at: Vec<String> = picked
                .least_at
                .iter()
                .map(|(slot, value)| format!("slot {slot} is {value}"))
                .collect();
            let (margin, at) = (picked.margin, at.join(", "));
            picked.problem = Some(format!("`{name}` wins by {margin} only, where {at}"));
        }
        Ok(picked)
    }

    /// Every combination of the columns other than `along`; `None` if there are too many.
    fn combinations(
        &self,
        forms: &[PolyId],
        ranges: &[Range],
        along: usize,
    ) -> Option<Vec<Vec<f64>>> {
        let atoms = &self.analysis.interner;
        let mut all = vec![vec![]];
        for (at, (&form, range)) in forms.iter().zip(ranges).enumerate() {
            let numbers = if at == along {
                vec![f64::NAN]
            } else if let Some(numbers) = atoms.integers(&atoms[form], COMBINATIONS) {
                numbers
            } else if range.hi - range.lo < COMBINATIONS as f64 {
                (0..=(range.hi - range.lo) as u64)
                    .map(|n| range.lo + n as f64)
                    .collect()
            } else {
                return None;
            };
            if all.len() * numbers.len() > COMBINATIONS {
                return None;
            }
            all = all
                .iter()
                .flat_map(|columns| {
                    numbers.iter().map(move |&number| {
                        let mut columns = columns.clone();
                        columns.push(number);
                        columns
                    })
                })
                .collect();
        }
        Some(all)
    }

    fn judge(
        &mut self,
        columns: &[f64],
        along: usize,
        range: Range,
        picked: &mut Picked,
    ) -> Result<()> {
        let key: Vec<u64> = columns.iter().map(|column| column.to_bits()).collect();
        if !self.envelopes.contains_key(&key) {
            let lines: Vec<(f64, f64)> = (0..self.rows.vocab)
                .map(|id| {
                    let others = self.rows.head.iter().zip(columns).enumerate();
                    let others = others.filter(|&(at, _)| at != along);
                    let height = others
                        .map(|(_, (weights, column))| weights[id] * column)
                        .sum();
                    (height, self.rows.head[along][id])
                })
                .collect();
            self.envelopes.insert(
                key.clone(),
                Envelope::new(lines, Rc::clone(&self.groups), [-FARTHEST, FARTHEST]),
            );
        }
        let slack = self.rounding(columns, along, range);
        let won: Vec<Won> = self.envelopes[&key].winners([range.lo, range.hi]).collect();
        let mut decided: Option<TokenId> = None;
        for Won { token, margin, at } in won {
            // The other columns alone must decide the group of the winner.
            let first = *decided.get_or_insert(token);
            if let Some(at) = self.telling_apart([first, token]) {
                let [one, other] = [first, token].map(|token| &self.strings[token.0 as usize]);
                let (slot, Range { lo, hi, .. }) = (self.rows.columns[at], range);
                let (of, value) = (self.rows.columns[along], columns[at]);
                picked.problem = Some(format!(
                    "slot {of} decides between `{one}` and `{other}`: it lies between {lo} and {hi}, and outweighs slot {slot}, which is {value}"
                ));
                return Ok(());
            }
            picked.code_margin = picked.code_margin.min(margin.of_group - slack);
            if margin.least - slack < picked.margin {
                picked.margin = margin.least - slack;
                picked.token = token;
                for (column, slot) in picked.least_at.iter_mut().enumerate() {
                    slot.1 = if column == along { at } else { columns[column] };
                }
            }
            let class = self.analysis.classes.of(token.0 as usize);
            picked.ends = picked.ends && self.setting_back(class)?.lo >= 0.0;
        }
        Ok(())
    }

    /// A varying column, other than the lightest, in which the weights of two tokens differ.
    fn telling_apart(&self, tokens: [TokenId; 2]) -> Option<usize> {
        let [one, other] = tokens.map(|token| token.0 as usize);
        let weights = |at: usize| &self.rows.head[at];
        let mut decisive = self
            .varying
            .iter()
            .copied()
            .filter(|&at| at != self.lightest);
        decisive.find(|&at| weights(at)[one] != weights(at)[other])
    }

    /// The greatest rounding error of a margin: 0 if no logit exceeds 2^53 in any order of
    /// additions.
    fn rounding(&self, columns: &[f64], along: usize, range: Range) -> f64 {
        let size = |at: usize| {
            if at == along {
                range.size()
            } else {
                columns[at].abs()
            }
        };
        let largest = |weights: &[f64]| {
            weights
                .iter()
                .fold(0.0_f64, |most, weight| most.max(weight.abs()))
        };
        let whole = |weights: &[f64]| weights.iter().all(|weight| weight.fract() == 0.0);
        let head = &self.rows.head;
        let mass: f64 = head
            .iter()
            .enumerate()
            .map(|(at, weights)| largest(weights) * size(at))
            .sum();
        let exact = mass <= 9e15 && head.iter().all(|weights| whole(weights));
        if exact { 0.0 } else { mass * 2.0_f64.powi(-50) }
    }

    /// Bounds of the key's height in the lookup of the counter, for tokens of a class: at least 0
    /// if they reset the counter, and far below 0 if not.
    fn setting_back(&mut self, class: u16) -> Result<Range> {
        let counter = self.cases.counter.ok_or("no counter")?;
        let mut scope = self.analysis.scope(class);
        let key = self.analysis.key(&mut scope, counter.head.0);
        self.analysis.end(scope);
        let [_, y] = key.map_err(refused)?;
        Ok(self.analysis.interner.bounds(y))
    }
}

impl Picked {
    /// The proof for two classes of tokens.
    fn and(mut self, other: Self) -> Self {
        for ((_, lo, hi), (_, low, high)) in self.columns.iter_mut().zip(&other.columns) {
            (*lo, *hi) = (lo.min(*low), hi.max(*high));
        }
        self.code_margin = self.code_margin.min(other.code_margin);
        if other.margin < self.margin {
            (self.margin, self.token) = (other.margin, other.token);
            self.least_at = other.least_at;
        }
        self.ends &= other.ends;
        self.problem = self.problem.or(other.problem);
        self
    }
}
