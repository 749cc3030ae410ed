//! An explanation for people.

use std::fmt::Write as _;

use weightware::{HeadAttention, HeadKind};

use super::{Change, Explanation, asked, half_layer_name, reads, values};
use crate::failure::printable;

/// Columns of a line that is filled.
const WIDTH: usize = 100;

pub(super) fn of(explanation: &Explanation) -> String {
    let mut sections = vec![chosen(explanation), logits(explanation)];
    for half_layers in 0..explanation.pass.residual.len() {
        sections.push(half_layer(explanation, half_layers));
    }
    sections.join("\n")
}

/// The token, and what it belongs to.
fn chosen(explanation: &Explanation) -> String {
    let Explanation {
        index,
        token,
        line,
        instruction,
        engine,
        pass,
        ..
    } = explanation;
    let mut rows = vec![];
    let tokens: Vec<String> = line
        .tokens
        .iter()
        .enumerate()
        .map(|(at, token)| match at == line.at {
            true => format!("[{token}]"),
            false => token.to_string(),
        })
        .collect();
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
            "not known: the plain interpreter does not confirm the trace so far".to_owned(),
        )),
    }
    let position = pass.position;
    rows.push((
        "made from",
        format!(
            "position {position}, `{}` ({}), by the engine {}",
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

/// The heads of a half-layer, and what changed behind it.
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
                asks: asks(head),
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

/// Whether a head is turned off: its query is pushed so far that the first token is nearest, and that answers 0.
fn is_silent(head: &HeadAttention) -> bool {
    let misses = asked(head).is_some_and(|index| index != head.key[0] / 2.0);
    misses && (head.first, head.last) == (0, 0) && head.value == [0.0; 2]
}

struct Row {
    head: String,
    asks: String,
    answer: String,
    /// The values.
    read: Vec<String>,
}

fn table(text: &mut String, rows: &[Row]) {
    let column = |cell: fn(&Row) -> &String| {
        rows.iter()
            .map(|row| cell(row).chars().count())
            .max()
            .unwrap_or(0)
    };
    let [head, asks, answer] = [
        column(|row| &row.head),
        column(|row| &row.asks),
        column(|row| &row.answer),
    ];
    for row in rows {
        let line = format!(
            "  {:head$}  {:>asks$}  {:answer$}  ",
            row.head, row.asks, row.answer
        );
        let read = row.read.join(", ");
        if (line.chars().count() + read.chars().count()) <= WIDTH {
            let _ = writeln!(text, "{line}{read}");
        } else {
            let _ = writeln!(text, "{}", line.trim_end());
            fill(text, " ", &row.read);
        }
    }
}

/// The index that a head asks for, and the one that it finds if that is another.
fn asks(head: &HeadAttention) -> String {
    match asked(head) {
        None => "all".to_owned(),
        Some(index) if head.key[0] / 2.0 == index => number(index),
        Some(index) => format!("{} ({})", number(index), number(head.key[0] / 2.0)),
    }
}

/// Who answers a head.
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

/// What a change is of; `…` where later half-layers add to it.
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

/// Words in lines of at most [`WIDTH`] columns, behind a heading.
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

/// A number without a superfluous `-` or `.0`; far from 1, with an exponent.
fn number(value: f64) -> String {
    let magnitude = value.abs();
    match value {
        0.0 => "0".to_owned(),
        value if (1e-4..1e17).contains(&magnitude) => value.to_string(),
        value => format!("{value:e}"),
    }
}
