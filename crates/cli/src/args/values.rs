//! Values of arguments: counts, sizes, variables, bytes.

/// A count: digits, underscores and commas between them ignored.
pub(crate) fn count(text: &str) -> Result<u64, String> {
    let plain: String = text.chars().filter(|c| !"_,".contains(*c)).collect();
    plain
        .parse::<u64>()
        .map_err(|_| match plain.parse::<f64>() {
            Ok(number) if number < 0.0 => {
                "a count is not negative; for no limit leave the option out".to_owned()
            }
            Ok(number) if number.fract() == 0.0 && number < 1e19 => {
                format!("write the number with its digits: {}", number as u64)
            }
            Ok(number) if number >= 1e19 => {
                "that is more than any run has; for no limit leave the option out".to_owned()
            }
            _ => "this is no whole number, such as 1000000".to_owned(),
        })
}

/// A number of keys, logits or proposals: a count from 1 on, as memory holds them.
pub(crate) fn keys(text: &str) -> Result<usize, String> {
    match count(text)? {
        0 => Err("this is a number from 1 on".to_owned()),
        number => usize::try_from(number).map_err(|_| "this is more than memory holds".to_owned()),
    }
}

/// A share of probability that may be left out: from 0 up to 1, 1 excluded.
pub(crate) fn mass(text: &str) -> Result<f64, String> {
    let share = text.parse().ok();
    let share = share.filter(|share| (0.0..1.0).contains(share));
    share.ok_or_else(|| "this is no number from 0 up to 1, such as 1e-6".to_owned())
}

/// A share of probability that is kept: above 0 and up to 1.
pub(crate) fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok();
    let share = share.filter(|&share: &f64| share > 0.0 && share <= 1.0);
    share.ok_or_else(|| "this is no number above 0 and up to 1, such as 0.95".to_owned())
}

/// A number that is not negative.
pub(crate) fn positive(text: &str) -> Result<f64, String> {
    let number = text.parse().ok();
    let number = number.filter(|number: &f64| *number >= 0.0 && number.is_finite());
    number.ok_or_else(|| "this is no number from 0 on, such as 0.8".to_owned())
}

/// The length of a context: a count from 1 on.
pub(crate) fn context(text: &str) -> Result<u64, String> {
    match count(text)? {
        0 => Err(
            "a context has 1 token at least: it then executes one jump before the next one begins"
                .to_owned(),
        ),
        tokens => Ok(tokens),
    }
}

/// A size in bytes: a whole number, K or M of them.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    let lower = text.to_ascii_lowercase();
    let unit = ["kib", "kb", "k", "mib", "mb", "m", "gib", "gb", "g"];
    let unit = unit.into_iter().find(|unit| lower.ends_with(unit));
    let unit = unit.unwrap_or_default();
    let shift = match unit.chars().next() {
        None => 0,
        Some('k') => 10,
        Some('m') => 20,
        Some(_) => 30,
    };
    let number = lower[..lower.len() - unit.len()].trim().parse::<u64>();
    let bytes = number
        .ok()
        .and_then(|number| number.checked_mul(1 << shift));
    match bytes {
        Some(0) | None => {
            Err("a size is a number of bytes, or of K or M of them: 131072, 128K, 2M".to_owned())
        }
        Some(bytes) => Ok(bytes),
    }
}

/// A variable of the environment, with its value.
pub(crate) fn variable(text: &str) -> Result<String, String> {
    match text.split_once('=') {
        Some((name, _)) if !name.is_empty() => Ok(text.to_owned()),
        _ => match std::env::var(text) {
            Ok(value) => Ok(format!("{text}={value}")),
            Err(_) => Err("write NAME=VALUE; a NAME alone takes its value from this environment, where it is not set".to_owned()),
        },
    }
}

/// Bytes in hexadecimal, white space and colons between them ignored.
pub(crate) fn bytes_in_hex(text: &str) -> Result<Vec<u8>, String> {
    let digits: Vec<u32> = text
        .chars()
        .filter(|c| !c.is_whitespace() && *c != ':')
        .map(|c| {
            c.to_digit(16)
                .ok_or_else(|| format!("{c:?} is no hexadecimal digit"))
        })
        .collect::<Result<_, _>>()?;
    match digits.chunks_exact(2) {
        pairs if pairs.remainder().is_empty() => {
            Ok(pairs.map(|pair| (16 * pair[0] + pair[1]) as u8).collect())
        }
        _ => Err("a byte has two hexadecimal digits, and one is left over".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_what_they_should_have_been() {
        assert_eq!(count("1_000_000"), Ok(1_000_000));
        let said = |text| count(text).expect_err(text);
        assert!(said("1e6").ends_with("1000000"));
        assert!(said("-5").contains("not negative"));
        assert!(said("99999999999999999999").contains("more than any run"));
        assert!(said("many").contains("whole number"));
        assert_eq!(context("1"), Ok(1));
        assert!(context("0").is_err() && context("-1").is_err());
        for (text, bytes) in [
            ("65536", 65536),
            ("64K", 65536),
            ("2MiB", 2 << 20),
            ("1 m", 1 << 20),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in ["", "K", "0", "-1", "1.5M", "99999999999999G", "ten"] {
            assert!(size(text).is_err(), "{text}");
        }
        assert_eq!(bytes_in_hex("48 69:0a"), Ok(b"Hi\n".to_vec()));
        for text in ["4", "4g", "é"] {
            assert!(bytes_in_hex(text).is_err(), "{text}");
        }
        assert_eq!(variable("A="), Ok("A=".to_owned()));
        assert!(variable("=x").is_err() && variable("no such variable").is_err());
    }
}
