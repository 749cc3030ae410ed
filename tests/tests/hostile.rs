//! Inputs that once were findings, and a sample of `cargo xtask hostile`.

use std::fs;
use std::path::Path;

use peak_alloc::PeakAlloc;
use weightware_tests::hostile::{Campaign, Meter, Target};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const METER: Meter = Meter {
    reset: || ALLOCATOR.reset_peak_usage(),
    usage: || (ALLOCATOR.current_usage(), ALLOCATOR.peak_usage()),
};

/// A single test, since the memory of all threads is counted. Each target gets the inputs kept
/// under its name, then some new ones.
#[test]
fn inputs_that_nobody_wrote() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("hostile");
    let entries = fs::read_dir(folder).expect("kept inputs are there");
    let mut kept: Vec<_> = entries
        .map(|entry| entry.expect("readable").path())
        .collect();
    kept.sort();
    let mut given = 0;
    for target in Target::ALL {
        let campaign = Campaign::new(target, 7);
        let prefix = format!("{}_", target.name());
        let its = kept.iter().filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| name.starts_with(&prefix))
        });
        for path in its {
            let input = fs::read(path).expect("readable");
            if let Err(what) = campaign.give(&input, METER) {
                panic!("{}: {what}", path.display());
            }
            given += 1;
        }
        for number in 0..150 {
            let input = campaign.input(number);
            assert_eq!(input, campaign.input(number), "the same everywhere");
            if let Err(what) = campaign.give(&input, METER) {
                panic!("{} {number}: {what}", target.name());
            }
        }
    }
    assert_eq!(
        given,
        kept.len(),
        "every kept input is named after a target"
    );
}
