//! The certificate as text, head by head.

use std::fmt;

use crate::{Certificate, HeadCertificate, Keys, NextTokens, Picked, Scaling};

impl fmt::Display for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Equal {
                largest_value: Some(value),
            } => write!(f, "equal, averages |value| <= {value}"),
            Self::Equal {
                largest_value: None,
            } => f.write_str("equal, averages numbers taken to be up to 1"),
            Self::Positions { own: true, .. } => f.write_str("positions, its own"),
            Self::Positions { fraction: true, .. } => {
                f.write_str("positions, nearest to a fraction")
            }
            Self::Positions { .. } => f.write_str("positions"),
            Self::Latest { clearing } => {
                write!(f, "latest not cleared, 2^{:.0} t", clearing.log2())
            }
            Self::Indexed {
                slope,
                grain,
                by_position,
                ..
            } => {
                let time = if *by_position { "position" } else { "count" };
                let factor = match slope / grain {
                    1.0 => String::new(),
                    factor => format!("{factor} * "),
                };
                write!(f, "index, latest by {factor}2^{} {time}", grain.log2())
            }
            Self::Unknown(why) => write!(f, "unknown: {why}"),
        }
    }
}

/// A number of positions as text; the greatest number means no bound.
fn positions(count: u64) -> String {
    match count {
        u64::MAX => "any".to_owned(),
        count => count.to_string(),
    }
}

impl fmt::Display for HeadCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stock = self.stock_positions.map(positions).join(" / ");
        let name = format!("{}.{}", self.layer, self.head);
        write!(
            f,
            "{name:5} {:42} {:>16}   {stock}",
            self.keys.to_string(),
            positions(self.exact_positions)
        )?;
        if let Some(bounds) = &self.index_box {
            let stock = bounds
                .stock_index
                .map(|index| index.to_string())
                .join(" / ");
            write!(
                f,
                "\n      |index| stated {}, exact {}, stock {stock}; times {}",
                bounds.index, bounds.exact_index, bounds.times
            )?;
        }
        if let Some(score) = self.largest_score {
            write!(f, "\n      stock while |score| <= {score}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Scaling::ALL.map(Scaling::name).join(" / ");
        writeln!(
            f,
            "{:5} {:42} {:>16}   stock, scale with {names}",
            "head", "keys", "exact"
        )?;
        for head in &self.heads {
            writeln!(f, "{head}")?;
        }
        let stock = Scaling::ALL
            .map(|scaling| positions(self.stock_positions(scaling)))
            .join(" / ");
        writeln!(f)?;
        writeln!(f, "stated: position {}", self.last_position)?;
        writeln!(
            f,
            "exact hard-max: position {}",
            positions(self.exact_positions())
        )?;
        writeln!(f, "stock softmax, one-hot heads: position {stock}")?;
        writeln!(
            f,
            "stock softmax, running sums: position {} whatever is summed, then while tokens * sum |value| <= 2^48",
            positions(self.stock_sums())
        )?;
        if let Some(head) = self.first_to_fail() {
            writeln!(
                f,
                "first to fail: layer {}, head {}: {}",
                head.layer, head.head, head.keys
            )?;
        }
        for problem in self.problems() {
            writeln!(f, "NOT PROVED: {problem}")?;
        }
        Ok(())
    }
}

impl fmt::Display for NextTokens {
    /// Writes a line for each token of programs: its bytes, its least margin, its least margin
    /// against tokens of other codes, and the ranges of the unembedding's columns at the end token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:26} {:>5} {:>6} {:>14}   columns at the end",
            "found", "bytes", "margin", "of codes"
        )?;
        for found in &self.found {
            let Some((end, before)) = found.counters.split_last() else {
                continue;
            };
            let name = match found.tokens {
                1 => found.name.clone(),
                more => format!("{} and {} more", found.name, more - 1),
            };
            let least = |margin: fn(&Picked) -> f64| {
                let margins = found.counters.iter().map(margin);
                margins.fold(f64::INFINITY, f64::min)
            };
            let (all, codes) = (least(|p| p.margin), least(|p| p.code_margin));
            let (bytes, columns) = (before.len(), columns(end));
            writeln!(f, "{name:26} {bytes:>5} {all:>6} {codes:>14}   {columns}")?;
        }
        let proved = |(.., picked): &(&str, u64, &Picked)| picked.problem.is_none();
        let (all, proved) = (self.all().count(), self.all().filter(proved).count());
        writeln!(
            f,
            "\nnext token: unique in {proved} of {all} cases of what is found and the counter"
        )?;
        for limit in &self.limits {
            writeln!(f, "assumed: a table's argument is at most {limit}")?;
        }
        if let Some((name, counter, picked)) = self.least() {
            let (margin, columns) = (picked.margin, columns(picked));
            writeln!(
                f,
                "least margin: {margin}, of `{name}` at byte {counter}, {columns}"
            )?;
        }
        if let Some((name, counter, picked)) = self.least_of_codes() {
            let (margin, columns) = (picked.code_margin, columns(picked));
            writeln!(
                f,
                "least margin of codes: {margin}, of `{name}` at byte {counter}, {columns}"
            )?;
        }
        for problem in self.problems() {
            writeln!(f, "NOT PROVED: {problem}")?;
        }
        Ok(())
    }
}

/// The ranges of the columns that the unembedding reads.
fn columns(picked: &Picked) -> String {
    let columns = picked.columns.iter().map(|(slot, lo, hi)| match lo == hi {
        true => format!("slot {slot} = {lo}"),
        false => format!("slot {slot} from {lo} to {hi}"),
    });
    columns.collect::<Vec<_>>().join(", ")
}
