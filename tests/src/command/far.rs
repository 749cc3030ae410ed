//! `cargo xtask far`.

use std::io::{IsTerminal, stderr};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use clap::Args;
use clap::builder::PossibleValuesParser;
use serde_json::{Value, json};
use weightware::{Computer, Engine, Profile, profile_model};
use weightware_tests::far::{
    Case, Course, Coverage, Ending, Ends, Kind, Lead, Leads, Setting, courses, endings, endless,
    reduce, run, setting,
};
use weightware_tests::horizon::at_positions;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The machine's profile; all of them if left out
    #[arg(long, value_parser = PossibleValuesParser::new(Profile::ALL.map(|profile| profile.name)))]
    profile: Vec<String>,
    /// How the weights are decoded; by plan and jit if left out
    #[arg(long)]
    engine: Vec<Engine>,
    /// Cases of each profile
    #[arg(long, default_value_t = 10_000)]
    count: u64,
    /// Seed of the cases
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Cases of this instruction alone, or of `program`
    #[arg(long, value_parser = kind)]
    only: Option<Kind>,
    /// The case of this number alone
    #[arg(long)]
    case: Option<u64>,
    /// The position that it begins at
    #[arg(long, requires = "case")]
    at: Option<u64>,
    /// The last position, if it is to be nearer than that of the profile
    #[arg(long)]
    last: Option<u64>,
    /// Courses that also go through hulls, which checks the logits of all tokens of cases; 200
    /// bytes a token
    #[arg(long, default_value_t = 0)]
    hull: usize,
    /// Positions of cases of the first course at which stock softmax is checked; takes two more
    /// runs by hulls
    #[arg(long, default_value_t = 0)]
    stock: usize,
    /// Leave out the runs that come to each end just before the last position
    #[arg(long)]
    no_endings: bool,
    /// Runs at the same time
    #[arg(long)]
    jobs: Option<usize>,
    /// The report as JSON
    #[arg(long)]
    json: bool,
}

fn kind(name: &str) -> Result<Kind, String> {
    name.parse()
}

/// The results of a profile.
#[derive(Debug, Default)]
struct Tally {
    coverage: Coverage,
    /// Tokens decoded, including those of prompts.
    tokens: u64,
    courses: usize,
    endings: usize,
    leads: Leads,
    deoptimizations: u32,
    failures: Vec<String>,
    seconds: f64,
}

/// A profile's model, with its end tokens and without them.
struct Subject {
    profile: Profile,
    ends: Ends,
    endless: Computer,
    ending: Computer,
}

/// A unit of work.
enum Work {
    Course(usize, Setting, Vec<Case>),
    Ending(Ending),
}

impl Arguments {
    pub(crate) fn run(self) -> Result<bool, String> {
        let mut passed = true;
        let mut reports = vec![];
        let all = Profile::ALL.into_iter();
        let chosen = all.filter(|profile| {
            self.profile.is_empty() || self.profile.iter().any(|name| name == profile.name)
        });
        for profile in chosen {
            let subject = self.subject(profile)?;
            let start = Instant::now();
            let mut tally = self.tally(&subject);
            tally.seconds = start.elapsed().as_secs_f64();
            passed &= tally.failures.is_empty() && tally.leads.suffice();
            match self.json {
                true => reports.push(tally.json(&subject)),
                false => tally.print(&subject),
            }
            if self.stock > 0 {
                passed &= self.softmax(&subject)?;
            }
        }
        if self.json {
            println!("{}", Value::Array(reports));
        }
        Ok(passed)
    }

    fn subject(&self, profile: Profile) -> Result<Subject, String> {
        let mut model = profile_model(profile);
        let last = &mut model.config.last_position;
        *last = self.last.map_or(*last, |nearer| nearer.min(*last));
        let (without, ends) = endless(model.clone(), profile);
        let computer = |model| Computer::new(model).map_err(|error| error.to_string());
        Ok(Subject {
            profile,
            ends,
            endless: computer(without)?,
            ending: computer(model)?,
        })
    }

    /// The courses of the given case, or of the given number of cases.
    fn courses(&self, ends: &Ends) -> Vec<(Setting, Vec<Case>)> {
        let Some(number) = self.case else {
            return courses(ends, self.count, self.seed, self.only).collect();
        };
        let mut case = Case::new(number, self.seed, self.only, ends.last_position);
        case.position = self.at.unwrap_or(case.position);
        vec![(setting(number), vec![case])]
    }

    fn engines(&self, course: usize) -> Vec<Engine> {
        let mut engines = match self.engine.is_empty() {
            true => vec![Engine::Plan, Engine::Jit],
            false => self.engine.clone(),
        };
        if course < self.hull && !engines.contains(&Engine::Hull) {
            engines.push(Engine::Hull);
        }
        engines
    }

    fn tally(&self, subject: &Subject) -> Tally {
        let courses = self.courses(&subject.ends).into_iter().zip(0..);
        let mut work: Vec<Work> = courses
            .map(|((setting, cases), number)| Work::Course(number, setting, cases))
            .collect();
        if self.case.is_none() && !self.no_endings {
            work.extend(endings().into_iter().map(Work::Ending));
        }
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let (next, count) = (AtomicUsize::new(0), work.len());
        let tally = Mutex::new(Tally::default());
        let shows = stderr().is_terminal();
        std::thread::scope(|scope| {
            for _ in 0..self.jobs.unwrap_or(cores) {
                scope.spawn(|| {
                    loop {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        let Some(work) = work.get(at) else { break };
                        if shows {
                            eprint!("\r{}: run {} of {count}", subject.profile.name, at + 1);
                        }
                        let one = self.work(subject, work);
                        tally.lock().expect("no thread panics").join(one);
                    }
                });
            }
        });
        if shows {
            eprint!("\r\x1b[K");
        }
        tally.into_inner().expect("no thread panics")
    }

    fn work(&self, subject: &Subject, work: &Work) -> Tally {
        let ends = &subject.ends;
        let mut tally = Tally::default();
        match work {
            Work::Course(number, setting, cases) => {
                let course = Course::new(ends, *setting, cases);
                tally.coverage.add(&course, ends.last_position);
                tally.courses = 1;
                for engine in self.engines(*number) {
                    match run(&subject.endless, &course, engine) {
                        Ok(ran) => {
                            tally.tokens += ran.tokens;
                            tally.leads.join(ran.leads);
                            tally.deoptimizations += ran.deoptimizations;
                            if let Err(problem) = course.ends_as_it_must(ends, &ran) {
                                tally.failures.push(format!("{}: {problem}", engine.name()));
                            }
                        }
                        Err(difference) => {
                            let failure =
                                reduce(&subject.endless, ends, engine, &course, difference);
                            let again = failure.case.map_or_else(String::new, |case| {
                                self.again(subject, engine, case, failure.start)
                            });
                            tally.failures.push(format!("{failure}\n    {again}"));
                        }
                    }
                }
            }
            Work::Ending(ending) => {
                tally.endings = 1;
                // One engine suffices: the same programs end before the horizon.
                let engine = self.engines(usize::MAX).pop().unwrap_or(Engine::Plan);
                match ending.run(&subject.ending, ends, engine) {
                    Ok(ran) => tally.tokens += ran.tokens,
                    Err(differs) => tally.failures.push(format!(
                        "{}: the end by {}: position {} is {}, not {}",
                        engine.name(),
                        ending.name,
                        differs.position,
                        differs.found,
                        differs.expected
                    )),
                }
            }
        }
        tally
    }

    /// The command that reproduces a failure.
    fn again(&self, subject: &Subject, engine: Engine, case: Case, start: u64) -> String {
        let only = self
            .only
            .map_or_else(String::new, |only| format!(" --only {only}"));
        format!(
            "cargo xtask far --profile {} --engine {} --seed {}{only} --case {} --at {start}",
            subject.profile.name,
            engine.name(),
            self.seed,
            case.number
        )
    }

    /// Checks stock softmax at some positions in cases of the first course.
    fn softmax(&self, subject: &Subject) -> Result<bool, String> {
        let Some((setting, cases)) = self.courses(&subject.ends).into_iter().next() else {
            return Ok(true);
        };
        let course = Course::new(&subject.ends, setting, &cases);
        let positions = course.positions(self.stock, subject.ends.last_position);
        let mut passed = true;
        for at in at_positions(&subject.endless, &course.program, &positions)? {
            let said = at.said.and_then(|token| subject.endless.meaning(token));
            println!(
                "  softmax at position {}: {}, ahead by {}; {} heads attend to one token, {} to several that tie, {} find no key, {} average, off by {:.1e} at most, queries by {:.1e}; wrong: {:?}",
                at.position,
                said.map_or("nothing".to_owned(), |token| token.to_string()),
                at.lead(),
                at.one_hot,
                at.tied,
                at.missed,
                at.averages.0,
                at.averages.1,
                at.off,
                at.wrong
            );
            passed &= at.is_right();
        }
        Ok(passed)
    }
}

impl Tally {
    fn join(&mut self, other: Self) {
        self.coverage.join(&other.coverage);
        self.tokens += other.tokens;
        self.courses += other.courses;
        self.endings += other.endings;
        self.leads.join(other.leads);
        self.deoptimizations += other.deoptimizations;
        self.failures.extend(other.failures);
    }

    fn print(&self, subject: &Subject) {
        let Coverage {
            cases, far, late, ..
        } = self.coverage;
        println!(
            "{}: {cases} cases in {} courses, {far} after position 1,000,000, {late} in the last twentieth; {} endings; {} tokens, {:.1} s; {} wrong",
            subject.profile.name,
            self.courses,
            self.endings,
            self.tokens,
            self.seconds,
            self.failures.len()
        );
        println!(
            "  {} of the runs by plans were deoptimised",
            self.deoptimizations
        );
        if let Some((op, [all, far, late])) = self.coverage.rarest() {
            println!(
                "  {op} was executed at the fewest positions: {all}, {far} of them after 1,000,000, {late} in the last twentieth"
            );
        }
        let leads = [
            ("bytes lead by", self.leads.byte),
            ("ends lead by", self.leads.end),
            ("the result after the last byte is at most", self.leads.past),
            ("in place of a trap at most", self.leads.trapped),
        ];
        for (what, lead) in leads {
            if let Some(Lead {
                by,
                position,
                token,
            }) = lead
            {
                println!("  {what} {by}: {token} at {position}");
            }
        }
        self.failures
            .iter()
            .for_each(|failure| println!("  {failure}"));
    }

    fn json(&self, subject: &Subject) -> Value {
        let lead = |lead: Option<Lead>| {
            lead.map(|lead| {
                json!({
                    "by": lead.by,
                    "position": lead.position,
                    "token": lead.token.to_string(),
                })
            })
        };
        let executed = self.coverage.executed.iter();
        let executed: serde_json::Map<String, Value> = executed
            .map(|(op, counts)| (op.to_string(), json!(counts)))
            .collect();
        json!({
            "profile": subject.profile.name,
            "cases": self.coverage.cases,
            "far": self.coverage.far,
            "late": self.coverage.late,
            "courses": self.courses,
            "endings": self.endings,
            "tokens": self.tokens,
            "deoptimizations": self.deoptimizations,
            "seconds": self.seconds,
            "executed": executed,
            "leads": {
                "tokens": self.leads.tokens,
                "byte": lead(self.leads.byte),
                "end": lead(self.leads.end),
                "past": lead(self.leads.past),
                "trapped": lead(self.leads.trapped),
            },
            "failures": self.failures,
        })
    }
}
