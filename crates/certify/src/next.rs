//! The next token: whatever the operands are, the unembedding picks one token, by a margin.
//!
//! The network tells tokens apart by few things: which token one lookup finds (of an executor: the opcode), a counter (the byte
//! index), the class of the token's own id. For each combination the columns that the unembedding reads are bounded, from the weights
//! alone and for every sequence of tokens whose keys lie inside their boxes; and of all integers within the bounds the least margin
//! between the best and the second-best logit is found.
//!
//! A counter is followed from 0 on, until every token that can win sets it back to 0.

use std::collections::HashMap;
use std::sync::Arc;

use weightware_analysis::{
    Analysis, Atom, Cases, Counted, Expected, FormId, HeadAt, Range, Refusal, Rows, Scope,
};
use weightware_model::{Model, TokenId};

use crate::envelope::{Envelope, Won};

/// A counter that is not set back within so many tokens is not followed any further.
const LONGEST: u64 = 300;

/// Of all columns but one, so many combinations of integers are looked at.
const COMBINATIONS: usize = 1 << 12;

/// An integer beyond this is not looked at: logits of it would be rounded.
const FARTHEST: f64 = (1_u64 << 44) as f64;

/// What is proved of the next token.
#[derive(Debug, Clone, PartialEq)]
pub struct NextTokens {
    /// By what the lookup finds: only tokens that are never put out, which are those that a program is made of.
    pub found: Vec<Found>,
    /// Why nothing is proved.
    pub refused: Option<String>,
}

/// What is proved of the next token where the lookup finds a token.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Tokens that the network does not tell apart.
    pub tokens: Vec<TokenId>,
    /// By counter, from 0 on.
    pub counters: Vec<Picked>,
}

/// What is proved of the next token at one value of the counter.
#[derive(Debug, Clone, PartialEq)]
pub struct Picked {
    /// Of the columns that the unembedding reads: slot, least and greatest value.
    pub columns: Vec<(usize, f64, f64)>,
    /// The least margin between the best logit and the second; what rounding may take from it is taken.
    pub margin: f64,
    /// The token that wins there.
    pub token: TokenId,
    /// The columns there: slot and value.
    pub least_at: Vec<(usize, f64)>,
    /// Whether every token that can win sets the counter back.
    pub ends: bool,
    /// Why it is not proved that there is one winner.
    pub problem: Option<String>,
}

impl NextTokens {
    /// The least margin, and where it is: what was found, the counter.
    #[must_use]
    pub fn least(&self) -> Option<(TokenId, u64, &Picked)> {
        let all = self.found.iter().flat_map(|found| {
            let counters = (0..).zip(&found.counters);
            counters.map(|(counter, picked)| (found.tokens[0], counter, picked))
        });
        all.min_by(|(.., a), (.., b)| a.margin.total_cmp(&b.margin))
    }

    /// The least margin among those where no byte can win: that of tokens that set the counter back.
    #[must_use]
    pub fn least_at_ends(&self) -> Option<(TokenId, u64, &Picked)> {
        let all = self.found.iter().flat_map(|found| {
            let counters = (0..).zip(&found.counters);
            counters.map(|(counter, picked)| (found.tokens[0], counter, picked))
        });
        all.filter(|(.., picked)| picked.ends)
            .min_by(|(.., a), (.., b)| a.margin.total_cmp(&b.margin))
    }

    /// What is not proved, by name of what is found.
    pub fn problems<'a>(&'a self, model: &'a Model) -> impl Iterator<Item = String> + 'a {
        let refused = self
            .refused
            .iter()
            .map(|why| format!("the next token: {why}"));
        let of = move |found: &'a Found| {
            let name = model.tokenizer.string(found.tokens[0]).unwrap_or("?");
            (0..)
                .zip(&found.counters)
                .filter_map(move |(counter, picked)| {
                    let problem = picked.problem.as_ref()?;
                    Some(format!("`{name}`, byte {counter}: {problem}"))
                })
        };
        refused.chain(self.found.iter().flat_map(of))
    }
}

/// What is proved of a model's next tokens, `first` being the token that begins every sequence and does not come again.
pub(crate) fn next_tokens(model: &Model, first: TokenId) -> NextTokens {
    match Prover::new(model, first).and_then(|mut prover| prover.prove()) {
        Ok(found) => NextTokens {
            found,
            refused: None,
        },
        Err(why) => NextTokens {
            found: vec![],
            refused: Some(why),
        },
    }
}

/// A head, by layer and place, and a part of its answer.
type Answer = (HeadAt, usize);

/// Cases are divided up to so deep.
const CASES: u32 = 3;

struct Prover {
    first: usize,
    rows: Arc<Rows>,
    analysis: Analysis,
    cases: Cases,
    /// By the bits of all columns but the one that lines run along, which is `NaN` there.
    envelopes: HashMap<Vec<u64>, Envelope>,
}

type Result<T> = std::result::Result<T, String>;

fn refused(refusal: Refusal) -> String {
    format!("the weights are not analysed: {refusal:?}")
}

impl Prover {
    fn new(model: &Model, first: TokenId) -> Result<Self> {
        let rows = Arc::new(Rows::new(model));
        let expected = Expected {
            sentinel: Some(first.0 as usize),
            wide: true,
            ..Expected::default()
        };
        let offers = Arc::new(rows.offers(first.0 as usize));
        let mut analysis = Analysis::new(&rows, &offers, &expected).map_err(refused)?;
        let cases = Cases::new(&mut analysis);
        if cases.counter.is_none() || cases.fetched.is_empty() {
            return Err("no lookup and no counter tell tokens apart".to_owned());
        }
        Ok(Self {
            first: first.0 as usize,
            rows,
            analysis,
            cases,
            envelopes: HashMap::new(),
        })
    }

    fn prove(&mut self) -> Result<Vec<Found>> {
        let mut all = vec![];
        for kind in 0..self.cases.kinds {
            let tokens: Vec<TokenId> = (0..self.rows.vocab)
                .filter(|&id| {
                    usize::from(self.cases.kind_of[id]) == kind && self.makes_programs(id)
                })
                .map(|id| TokenId(id as u32))
                .collect();
            if tokens.is_empty() {
                continue;
            }
            let mut counters = vec![];
            loop {
                let picked = self.pick(kind, counters.len() as f64)?;
                let done = picked.ends || counters.len() as u64 == LONGEST;
                counters.push(picked);
                if done {
                    break;
                }
            }
            all.push(Found { tokens, counters });
        }
        Ok(all)
    }

    /// Whether a token stands in prompts alone: it does not begin the sequence, and its logit is a constant below all others.
    fn makes_programs(&self, id: usize) -> bool {
        if id == self.first {
            return false;
        }
        let weights = self.rows.head.iter().map(|column| column[id]);
        weights.filter(|weight| *weight != 0.0).count() <= 1
            && self.rows.head.iter().any(|column| column[id] <= -FARTHEST)
    }

    /// What is picked for tokens of all classes.
    fn pick(&mut self, kind: usize, counter: f64) -> Result<Picked> {
        let mut all: Option<Picked> = None;
        for class in 1..self.cases.classes as u16 {
            // A token that sets the counter back is found by its own lookup: the counter is 0 there and nowhere else.
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

    /// What is picked where some answers are assumed to lie within bounds; if that is not proved, in both of the cases that a neuron
    /// tells apart, up to so deep.
    fn pick_by_cases(
        &mut self,
        at: (u16, usize, f64),
        assumed: &[(Answer, FormId)],
        depth: u32,
    ) -> Result<Picked> {
        let (class, kind, counter) = at;
        let counted = Counted::Exactly(counter);
        let mut scope = self.cases.scope(&mut self.analysis, class, kind, counted);
        for &(answer, form) in assumed {
            self.analysis.assume(&mut scope, answer, form);
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

    /// An answer that a neuron behind the unembedding's columns opens at, below and above that point.
    fn divide(&mut self, scope: &mut Scope) -> Option<(Answer, [FormId; 2])> {
        let last = 2 * self.rows.layers.len();
        let rows = Arc::clone(&self.rows);
        let (atom, point) = rows.columns.iter().find_map(|&slot| {
            let form = self.analysis.slot(scope, last, slot).ok()?;
            self.analysis.atoms.threshold(&self.analysis.atoms[form])
        })?;
        let answer = self.answering(scope, atom)?;
        let Range { lo, hi, .. } = self.analysis.atoms.range_of(atom);
        let halves = [[lo, point], [point + 1.0, hi]];
        Some((
            answer,
            halves.map(|bounds| self.analysis.atoms.within(atom, bounds)),
        ))
    }

    /// The head and part of it whose answer an atom is.
    fn answering(&mut self, scope: &mut Scope, atom: Atom) -> Option<Answer> {
        for layer in 0..self.rows.layers.len() {
            for head in 0..self.rows.layers[layer].heads.len() {
                let answers = self.analysis.answers(scope, (layer, head)).ok()?;
                let of = |&form: &FormId| self.analysis.atoms[form].as_atom() == Some(atom);
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
        let atoms = &self.analysis.atoms;
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
            token: TokenId(0),
            least_at: rows.columns.iter().map(|&slot| (slot, 0.0)).collect(),
            ends: true,
            problem: None,
        };
        if let Some(slot) = ranges.iter().position(|range| range.grain < 0) {
            picked.problem = Some(format!("slot {} may hold a fraction", rows.columns[slot]));
            return Ok(picked);
        }
        // Lines run along the column of the widest range; of all others, every combination is looked at.
        let along = (0..ranges.len())
            .max_by(|&a, &b| {
                let width = |at: usize| ranges[at].hi - ranges[at].lo;
                width(a).total_cmp(&width(b))
            })
            .unwrap_or(0);
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
        }
        if picked.problem.is_none() && picked.margin <= 0.0 {
            picked.problem = Some(format!(
                "two tokens may be alike, one of them {}",
                picked.token.0
            ));
        }
        Ok(picked)
    }

    /// Every combination of the columns but one.
    fn combinations(
        &self,
        forms: &[FormId],
        ranges: &[Range],
        along: usize,
    ) -> Option<Vec<Vec<f64>>> {
        let atoms = &self.analysis.atoms;
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
            self.envelopes
                .insert(key.clone(), Envelope::new(lines, [-FARTHEST, FARTHEST]));
        }
        let slack = self.rounding(columns, along, range);
        let won: Vec<Won> = self.envelopes[&key].winners([range.lo, range.hi]).collect();
        for Won { token, margin, at } in won {
            if margin - slack < picked.margin {
                picked.margin = margin - slack;
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

    /// What rounding may take from a margin: nothing if no logit passes 2^53, in whatever order it is added up.
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

    /// Bounds of the height of the key, where the counter is looked up, of tokens of a class: not below 0 if they set it back to 0,
    /// and far below if not.
    fn setting_back(&mut self, class: u16) -> Result<Range> {
        let counter = self.cases.counter.ok_or("no counter")?;
        let mut scope = self.analysis.scope(class);
        let key = self.analysis.key(&mut scope, counter.head.0);
        self.analysis.end(scope);
        let [_, y] = key.map_err(refused)?;
        Ok(self.analysis.atoms.bounds(y))
    }
}

impl Picked {
    /// What holds of two classes of tokens.
    fn and(mut self, other: Self) -> Self {
        for ((_, lo, hi), (_, low, high)) in self.columns.iter_mut().zip(&other.columns) {
            (*lo, *hi) = (lo.min(*low), hi.max(*high));
        }
        if other.margin < self.margin {
            (self.margin, self.token) = (other.margin, other.token);
            self.least_at = other.least_at;
        }
        self.ends &= other.ends;
        self.problem = self.problem.or(other.problem);
        self
    }
}

#[cfg(test)]
mod probe {
    use super::*;
    #[test]
    fn probe() {
        let dir = std::env::var("MODEL").unwrap_or("/tmp/model".into());
        let model = Model::load(dir).unwrap();
        let start = std::time::Instant::now();
        let next = next_tokens(&model, TokenId(0));
        println!(
            "{:?} {:?} kinds {}",
            start.elapsed(),
            next.refused,
            next.found.len()
        );
        for p in next.problems(&model) {
            println!("{p}");
        }
        for found in &next.found {
            let name = model.tokenizer.string(found.tokens[0]).unwrap();
            println!(
                "{name}: {}",
                found
                    .counters
                    .iter()
                    .map(|p| format!(
                        "{}{:?}{}",
                        p.margin,
                        p.columns
                            .iter()
                            .skip(1)
                            .map(|c| (c.1, c.2))
                            .collect::<Vec<_>>(),
                        if p.ends { "E" } else { "" }
                    ))
                    .collect::<Vec<_>>()
                    .join(" ")
                    .chars()
                    .take(700)
                    .collect::<String>()
            );
        }
    }
}
