//! An explanation for people.

use std::fmt::Write as _;

use weightware::{HeadAttention, HeadKind};

use super::explanation::{Change, Explanation, half_layer_name, query_index, reads, values};
use crate::failure::printable;

/// Columns of a filled line.
const WIDTH: usize = 100;

/// Tokens shown of a line before and after the one that is explained: all of most lines.
const AROUND: usize = 15;

pub(super) fn of(explanation: &Explanation) -> String {
    let mut sections = vec![chosen(explanation), logits(explanation)];
    for half_layers in 0..explanation.pass.residual.len() {
        sections.push(half_layer(explanation, half_layers));
    }
    if let Some(kernel) = &explanation.kernel {
        sections.push(format!("Kernel of the plan\n{}\n", kernel.trim_end()));
    }
    sections.join("\n")
}

/// The token, its line and its instruction.
fn chosen(explanation: &Explanation) -> String {
    let Explanation {
        index,
        context,
        token,
        line,
        instruction,
        engine,
        pass,
        ..
    } = explanation;
    let mut rows = vec![];
    if *context > 1 {
        let numbers = "positions and lines are counted in it";
        rows.push(("context", format!("{context}; {numbers}")));
    }
    let last = line.tokens.len().saturating_sub(1);
    let shown = line.at.saturating_sub(AROUND)..=line.at.saturating_add(AROUND).min(last);
    let mut tokens: Vec<String> = shown
        .clone()
        .map(|at| match at == line.at {
            true => format!("[{}]", line.tokens[at]),
            false => line.tokens[at].to_string(),
        })
        .collect();
    // A line that saves memory has a thousand tokens.
    if *shown.start() > 0 {
        tokens.insert(0, "…".to_owned());
    }
    if *shown.end() < last {
        tokens.push("…".to_owned());
    }
    rows.push(("line", format!("{}: {}", line.number, tokens.join(" "))));
    match instruction {
        Some(instruction) => {
            rows.push((
                "instruction",
                format!("{}: {}", instruction.index, instruction.text),
            ));
            if let Some(function) = &instruction.function {
                rows.push(("function", function.to_string()));
            }
        }
        None => rows.push((
            "instruction",
            "unknown: the plain interpreter does not confirm the trace so far".to_owned(),
        )),
    }
    let position = pass.position;
    rows.push((
        "forward pass",
        format!(
            "of position {position}, `{}` ({}), engine {}",
            explanation.string(position),
            explanation.layout.part(position),
            engine.name()
        ),
    ));
    let mut text = format!("Token {index} of the trace: {token}\n");
    for (name, value) in rows {
        let _ = writeln!(text, "  {name:12} {}", printable(&value));
    }
    text
}

fn logits(explanation: &Explanation) -> String {
    let mut text = "Best logits\n".to_owned();
    let numbers: Vec<String> = explanation
        .best
        .iter()
        .map(|(_, logit)| number(*logit))
        .collect();
    let tokens = explanation.best.iter().map(|(token, _)| printable(token));
    let tokens: Vec<String> = tokens.collect();
    let [first, second] = [width(&tokens), width(&numbers)];
    for (token, logit) in tokens.iter().zip(&numbers) {
        let _ = writeln!(text, "  {token:first$}  {logit:>second$}");
    }
    if let Some(margin) = explanation.margin() {
        let _ = writeln!(text, "  {:first$}  {:>second$}", "margin", number(margin));
    }
    text
}

/// The heads of a half-layer, and the dimensions that it changes.
fn half_layer(explanation: &Explanation, half_layers: usize) -> String {
    let mut text = format!("{}\n", half_layer_name(half_layers));
    let heads = explanation.pass.heads.iter();
    let heads: Vec<_> = heads
        .filter(|head| 2 * head.layer + 1 == half_layers)
        .collect();
    let name = |head: &HeadAttention| {
        let names = explanation.names.as_ref()?;
        names.head(head.layer, head.head)
    };
    let mut rows = vec![];
    let [mut freed, mut silent] = [vec![], vec![]];
    for head in heads {
        let name = name(head);
        let title = name.map_or_else(
            || format!("head {}", head.head),
            |name| printable(&name.name),
        );
        match name {
            Some(name) if name.kind == HeadKind::Wipe => {
                freed.extend(name.values.iter().map(|value| printable(&value.reads)));
            }
            _ if is_silent(head) => silent.push(title),
            _ => rows.push(Row {
                head: title,
                query: query(head),
                answer: answer(explanation, head),
                read: values(name)
                    .map(|part| {
                        let value = number(head.value[part]);
                        match reads(name, part) {
                            Some(form) => format!("{} = {value}", printable(form)),
                            None => value,
                        }
                    })
                    .collect(),
            }),
        }
    }
    table(&mut text, &rows);
    let changes = explanation.changes(half_layers);
    let (zero, other): (Vec<_>, Vec<_>) = changes.iter().partition(|change| change.value == 0.0);
    let lists = [
        ("silent", silent),
        ("frees", freed),
        ("leaves", other.into_iter().map(changed).collect()),
        ("zero", zero.into_iter().map(title).collect()),
    ];
    for (heading, words) in lists.iter().filter(|(_, words)| !words.is_empty()) {
        fill(&mut text, heading, words);
    }
    if changes.is_empty() {
        text.push_str("  nothing changes\n");
    }
    text
}

/// Whether a head is switched off: its query is pushed so far away that the first token is nearest,
/// whose value is 0.
fn is_silent(head: &HeadAttention) -> bool {
    let misses = query_index(head).is_some_and(|index| index != head.key[0] / 2.0);
    misses && (head.first, head.last) == (0, 0) && head.value == [0.0; 2]
}

struct Row {
    head: String,
    query: String,
    answer: String,
    /// The values.
    read: Vec<String>,
}

fn table(text: &mut String, rows: &[Row]) {
    if rows.is_empty() {
        return;
    }
    let [heads, queries, answers] = ["head", "query", "attends to"];
    let column = |title: &str, cell: fn(&Row) -> &String| {
        let cells = rows.iter().map(|row| cell(row).chars().count());
        cells.max().unwrap_or(0).max(title.len())
    };
    let widths = [
        column(heads, |row| &row.head),
        column(queries, |row| &row.query),
        column(answers, |row| &row.answer),
    ];
    let cells = |head: &str, query: &str, answer: &str| {
        let [first, second, third] = widths;
        format!("  {head:first$}  {query:>second$}  {answer:third$}  ")
    };
    let _ = writeln!(text, "{}reads", cells(heads, queries, answers));
    for row in rows {
        let line = cells(&row.head, &row.query, &row.answer);
        let read = row.read.join(", ");
        if line.chars().count() + read.chars().count() <= WIDTH {
            let _ = writeln!(text, "{line}{read}");
        } else {
            let _ = writeln!(text, "{}", line.trim_end());
            fill(text, "", &row.read);
        }
    }
}

/// The index that a head looks up, and in brackets that of the key found, if it differs.
fn query(head: &HeadAttention) -> String {
    match query_index(head) {
        None if head.query == [0.0; 2] => "all".to_owned(),
        None => head.query.map(number).join(" : "),
        Some(index) if head.key[0] / 2.0 == index => number(index),
        Some(index) => format!("{} ({})", number(index), number(head.key[0] / 2.0)),
    }
}

/// The positions that a head attends to.
fn answer(explanation: &Explanation, head: &HeadAttention) -> String {
    let winners = head.winners.get();
    if winners > 1 {
        return format!("{winners} of {}..{}", head.first, head.last);
    }
    format!(
        "{} {} ({})",
        head.first,
        printable(explanation.string(head.first)),
        explanation.layout.part(head.first)
    )
}

/// The name of a changed dimension, with `…` if later half-layers add to it.
fn title(change: &Change) -> String {
    let name = match &change.name {
        Some(name) => printable(name),
        None => format!("slot {}", change.slot),
    };
    let so_far = if change.partial { "…" } else { "" };
    format!("{name}{so_far}")
}

fn changed(change: &Change) -> String {
    format!("{} = {}", title(change), number(change.value))
}

/// Fills lines of at most [`WIDTH`] columns with words, after a heading.
fn fill(text: &mut String, heading: &str, words: &[String]) {
    let indent = heading.len().max("leaves".len()) + 4;
    let _ = write!(text, "  {heading:0$}  ", indent - 4);
    let mut column = indent;
    for (word, left) in words.iter().zip((0..words.len()).rev()) {
        let comma = if left == 0 { "" } else { "," };
        let length = word.chars().count() + comma.len();
        if column > indent && column + 1 + length > WIDTH {
            let _ = write!(text, "\n{:indent$}", "");
            column = indent;
        }
        if column > indent {
            text.push(' ');
            column += 1;
        }
        let _ = write!(text, "{word}{comma}");
        column += length;
    }
    text.push('\n');
}

fn width(cells: &[String]) -> usize {
    let cells = cells.iter().map(|cell| cell.chars().count());
    cells.max().unwrap_or(0).max("margin".len())
}

/// Formats a number without `-0` or `.0`, with an exponent if it is far from 1.
fn number(value: f64) -> String {
    let magnitude = value.abs();
    match value {
        0.0 => "0".to_owned(),
        value if (1e-4..1e17).contains(&magnitude) => value.to_string(),
        value => format!("{value:e}"),
    }
}
