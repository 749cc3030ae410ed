//! Sizes and profiles in messages.

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
    match *profile == Profile::FAR {
        true => "--shape far".to_owned(),
        false => format!("--profile {}", profile.name),
    }
}
