//! `cargo xtask mutate`.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use clap::Args;
use weightware::{Model, default_model};
use weightware_tests::Random;
use weightware_tests::mutate::{
    Corpus, Fate, Group, Mutation, Mutator, Names, Part, Place, groups, sample,
};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Weights of each group: the embedding, the unembedding, and seven parts of each layer
    #[arg(long, default_value_t = 20)]
    each: usize,
    /// Seed of the sample
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Random programs in the corpus
    #[arg(long, default_value_t = 40)]
    programs: u64,
    /// Minutes after which it reports the results so far; the weights come in random order
    #[arg(long)]
    minutes: Option<f64>,
    /// Weights that are changed at the same time
    #[arg(long)]
    jobs: Option<usize>,
}

#[derive(Debug, Default)]
struct Tally {
    tokens: usize,
    certificate: usize,
    slots: usize,
    silent: usize,
    unnoticed: usize,
}

#[derive(Debug, Default)]
struct Report {
    groups: BTreeMap<Group, Tally>,
    reasons: BTreeMap<&'static str, usize>,
    unnoticed: Vec<(Place, Mutation, f64)>,
}

impl Arguments {
    pub(crate) fn run(self) -> Result<bool, String> {
        let start = Instant::now();
        let model = default_model();
        let corpus = Corpus::new(&model, self.programs, 40);
        if let Some((run, right)) = corpus.first_difference(&model) {
            return Err(format!(
                "the weights as they are fail in run {run} at token {right}"
            ));
        }
        let mut random = Random::new(self.seed);
        let mut weights = 0;
        let mut work = vec![];
        for (_, places) in groups(&model) {
            weights += places.len();
            work.extend(sample(places, self.each, &mut random));
        }
        for last in (1..work.len()).rev() {
            work.swap(last, random.below(last as u64 + 1) as usize);
        }
        println!(
            "{} of {weights} weights, each doubled, zeroed and exchanged with its neighbour; a corpus of {} tokens",
            work.len(),
            corpus.tokens()
        );
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let next = AtomicUsize::new(0);
        let report = Mutex::new(Report::default());
        let names = Names::default();
        std::thread::scope(|scope| {
            for _ in 0..self.jobs.unwrap_or(cores) {
                scope.spawn(|| {
                    let mut mutator = Mutator::new(&corpus, model.clone());
                    while let Some(&place) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let minutes = start.elapsed().as_secs_f64() / 60.0;
                        if self.minutes.is_some_and(|most| minutes > most) {
                            break;
                        }
                        for mutation in Mutation::ALL {
                            let Some(fate) = mutator.fate(place, mutation) else {
                                continue;
                            };
                            let weight = mutator.weight(place);
                            let mut report = report.lock().expect("no thread panics");
                            report.add(place, mutation, weight, fate);
                            if fate == Fate::Unnoticed {
                                eprintln!(
                                    "{}",
                                    described(&model, &names, (place, mutation, weight))
                                );
                            }
                        }
                    }
                });
            }
        });
        let report = report.into_inner().expect("no thread panics");
        report.print(&model, &names);
        println!("{:.1} s", start.elapsed().as_secs_f64());
        Ok(report.share() >= 0.99)
    }
}

impl Report {
    fn add(&mut self, place: Place, mutation: Mutation, weight: f64, fate: Fate) {
        let tally = self.groups.entry(place.group).or_default();
        match fate {
            Fate::Tokens => tally.tokens += 1,
            Fate::Certificate => tally.certificate += 1,
            Fate::Slots => tally.slots += 1,
            Fate::Silent(reason) => {
                tally.silent += 1;
                *self.reasons.entry(reason).or_default() += 1;
            }
            Fate::Unnoticed => {
                tally.unnoticed += 1;
                self.unnoticed.push((place, mutation, weight));
            }
        }
    }

    /// The share of noticed mutations among those that can be noticed.
    fn share(&self) -> f64 {
        let sum = |of: fn(&Tally) -> usize| self.groups.values().map(of).sum::<usize>() as f64;
        let noticed = sum(|tally| tally.tokens + tally.certificate + tally.slots);
        noticed / (noticed + sum(|tally| tally.unnoticed)).max(1.0)
    }

    fn print(&self, model: &Model, names: &Names) {
        println!(
            "\n| group | by tokens | by the certificate alone | by slots alone | cannot be noticed | not noticed |"
        );
        println!("|---|---:|---:|---:|---:|---:|");
        for (group, tally) in &self.groups {
            let Tally {
                tokens,
                certificate,
                slots,
                silent,
                unnoticed,
            } = tally;
            println!("| {group} | {tokens} | {certificate} | {slots} | {silent} | {unnoticed} |");
        }
        println!("\nCannot be noticed:");
        for (reason, count) in &self.reasons {
            println!("{count:6}  {reason}");
        }
        println!("\nNot noticed:");
        let mut unnoticed = self.unnoticed.clone();
        unnoticed.sort_by_key(|&(place, mutation, _)| (place, mutation as usize));
        for (place, mutation, weight) in unnoticed {
            println!("{}", described(model, names, (place, mutation, weight)));
        }
        println!(
            "\n{:.2} % of what can be noticed is noticed",
            100.0 * self.share()
        );
    }
}

/// A mutation in words: the change, and the weight with its head or neuron and its token.
fn described(
    model: &Model,
    names: &Names,
    (place, mutation, weight): (Place, Mutation, f64),
) -> String {
    let token = match place.group.part {
        Part::Embedding | Part::Unembedding => model.tokenizer.strings()[place.row].as_str(),
        _ => "",
    };
    let name = names.of(place, &model.config.shape);
    format!("{mutation:?} {weight:e} {place} {name} {token}")
}
