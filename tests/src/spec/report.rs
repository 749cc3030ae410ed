//! The results of the files.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::session::{Effort, Verdict};

/// The results of a file.
#[derive(Debug, Clone)]
pub struct Report {
    /// The file's name.
    pub name: String,
    /// The number of commands whose result is that of the script.
    pub pass: usize,
    /// The commands with another result: the line, and the result.
    pub failures: Vec<(usize, String)>,
    /// The reasons for which commands were not tried, and how often.
    pub refusals: BTreeMap<String, usize>,
    /// For each kind of command how many pass, fail and are refused.
    pub kinds: BTreeMap<&'static str, [usize; 3]>,
    /// The runs that it took.
    pub effort: Effort,
}

impl Report {
    pub(super) fn new(
        name: &str,
        results: impl Iterator<Item = (usize, &'static str, Verdict)>,
        effort: Effort,
    ) -> Self {
        let mut report = Self {
            name: name.to_owned(),
            pass: 0,
            failures: vec![],
            refusals: BTreeMap::new(),
            kinds: BTreeMap::new(),
            effort,
        };
        for (line, kind, verdict) in results {
            let column = match &verdict {
                Verdict::Pass => 0,
                Verdict::Fail(_) => 1,
                Verdict::Refused(_) => 2,
            };
            report.kinds.entry(kind).or_default()[column] += 1;
            match verdict {
                Verdict::Pass => report.pass += 1,
                Verdict::Fail(problem) => report.failures.push((line, problem)),
                Verdict::Refused(reason) => {
                    *report
                        .refusals
                        .entry(in_general(&reason).to_owned())
                        .or_default() += 1;
                }
            }
        }
        report
    }

    /// The number of commands that were not tried.
    #[must_use]
    pub fn refused(&self) -> usize {
        self.refusals.values().sum()
    }

    fn row(&self) -> [String; 4] {
        let counts = [self.pass, self.failures.len(), self.refused()];
        let [pass, fail, refused] = counts.map(|count| count.to_string());
        [self.name.clone(), pass, fail, refused]
    }
}

/// The reports as a page of Markdown: a row for each file, a row of totals, one for each kind of
/// command, and the reasons of refusals.
#[must_use]
pub fn table(reports: &[Report]) -> String {
    let mut text = String::from(
        "# The official WebAssembly 1.0 test suite\n\nWritten by `cargo xtask spec --bless`: modules and assertions of each file, run through the weights.\n\n\
         | file | pass | fail | refused |\n|---|---:|---:|---:|\n",
    );
    let mut put = |row: [String; 4]| {
        let _ = writeln!(text, "| {} |", row.join(" | "));
    };
    let sum = |count: fn(&Report) -> usize| reports.iter().map(count).sum::<usize>().to_string();
    reports.iter().for_each(|report| put(report.row()));
    put([
        "all".to_owned(),
        sum(|report| report.pass),
        sum(|report| report.failures.len()),
        sum(Report::refused),
    ]);
    text += "\n| command | pass | fail | refused |\n|---|---:|---:|---:|\n";
    let mut kinds: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    for (kind, counts) in reports.iter().flat_map(|report| &report.kinds) {
        let sums = kinds.entry(kind).or_default().iter_mut();
        sums.zip(counts).for_each(|(sum, count)| *sum += count);
    }
    for (kind, [pass, fail, refused]) in kinds {
        let _ = writeln!(text, "| {kind} | {pass} | {fail} | {refused} |");
    }
    let mut reasons: BTreeMap<&str, (usize, Vec<String>)> = BTreeMap::new();
    for report in reports {
        for (reason, count) in &report.refusals {
            let (total, files) = reasons.entry(reason).or_default();
            *total += count;
            files.push(format!("{} {count}", report.name));
        }
    }
    if !reasons.is_empty() {
        text += "\n## Refused\n\n| reason | count | files |\n|---|---:|---|\n";
        let mut reasons: Vec<_> = reasons.into_iter().collect();
        reasons.sort_by_key(|&(reason, (count, _))| (usize::MAX - count, reason));
        for (reason, (count, files)) in reasons {
            let reason = reason.replace('|', "\\|");
            let _ = writeln!(text, "| {reason} | {count} | {} |", files.join(", "));
        }
    }
    let left = reports.iter().flat_map(|report| {
        let lines = report.failures.iter();
        lines.map(move |(line, problem)| format!("- {}.wast:{line}: {problem}\n", report.name))
    });
    let left: String = left.collect();
    if !left.is_empty() {
        text += "\n## Failed\n\n";
        text += &left;
    }
    text
}

/// The common part of similar errors: without instruction, function, byte and remedy, without the
/// particulars of a key beyond the horizon, and without the reason of an earlier refusal. An error
/// is ``` `i64.add` in function 3 `f` at byte 0x20: problem; remedy ```.
fn in_general(reason: &str) -> &str {
    for general in ["a call before it was refused", "beyond the horizon"] {
        if reason.starts_with(general) {
            return general;
        }
    }
    let has_place = ["`", "in function ", "at byte "]
        .iter()
        .any(|place| reason.starts_with(place));
    let problem = match reason.split_once(": ") {
        Some((_, problem)) if has_place => problem,
        _ => reason,
    };
    problem
        .split_once("; ")
        .map_or(problem, |(problem, _)| problem)
}
