//! Sizes, numbers and profiles in messages.

use weightware::Profile;

/// A size for people.
pub(crate) fn kibibytes(bytes: u64) -> String {
    match bytes {
        bytes if bytes >= 1 << 20 && bytes % (1 << 20) == 0 => format!("{} MiB", bytes >> 20),
        bytes if bytes >= 1 << 20 => format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20)),
        bytes if bytes >= 1 << 10 => format!("{} KiB", bytes >> 10),
        1 => "1 byte".to_owned(),
        bytes => format!("{bytes} bytes"),
    }
}

/// The option that chooses a profile.
pub(crate) fn flag(profile: &Profile) -> String {
    match profile.cells {
        Some(_) => "--shape far".to_owned(),
        None => format!("--profile {}", profile.name),
    }
}

/// A number with commas between its thousands.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (digit, left) in digits.chars().zip((1..=digits.len()).rev()) {
        text.push(digit);
        if left > 1 && left % 3 == 1 {
            text.push(',');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_groups() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (22_000_000, "22,000,000"),
        ] {
            assert_eq!(grouped(number), text);
        }
    }
}
