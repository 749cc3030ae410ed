//! A small grid from end to end, by the binary, and the report of its results.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use weightware_train::grid::Grid;
use weightware_train::{RunResult, files};

const GRID: &str = r#"
[base.model]
d_model = 8
layers = 1
[base.evaluation]
sequences = 8
[base.training]
steps = 6
batch = 4
warmup = 2

[[experiment]]
name = "parity"
title = "Parity."
measure = "accuracy"
rates = [0.001, 0.02]
seeds = [0, 1]
[experiment.settings.task]
kind = "tracking"
group = "z2"
length = 6
tests = [6, 9]
[[experiment.variant]]
name = "4x2"
settings.model = { heads = 4, head_dim = 2 }
[[experiment.variant]]
name = "2x4"
settings.model = { heads = 2, head_dim = 4 }
[[experiment.variant]]
name = "1x8"
settings.model = { heads = 1, head_dim = 8 }

[[experiment]]
name = "text"
title = "Characters."
measure = "loss"
rates = [0.01]
seeds = [3]
[experiment.settings.task]
kind = "text"
characters = 2000
length = 16
[[experiment.variant]]
name = "4x2"
settings.model = { heads = 4, head_dim = 2 }
"#;

fn program(arguments: &[&str], dir: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_weightware-train"))
        .args(arguments)
        .current_dir(dir)
        .output()
        .unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn grids_run_once_and_are_reported() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    fs::write(dir.join("grid.toml"), GRID).unwrap();
    fs::write(dir.join("introduction.md"), "# Heads\n\nAn introduction.\n").unwrap();
    let arguments = ["grid", "grid.toml", "--out", "out", "--jobs", "2"];
    let first = program(&arguments, dir);
    assert!(first.status.success(), "{}", stderr(&first));
    // 3 variants by 2 rates, 3 by the other seed, and one of text.
    assert_eq!(stderr(&first).lines().count(), 10, "{}", stderr(&first));
    let again = program(&arguments, dir);
    assert!(
        again.status.success() && stderr(&again).is_empty(),
        "{}",
        stderr(&again)
    );

    let grid = Grid::read(&dir.join("grid.toml")).unwrap();
    let out = dir.join("out");
    for variant in 0..3 {
        let (best, result) = grid.best(&out, 0, variant).unwrap().unwrap();
        assert_eq!(result.settings.training.learning_rate, best.rate);
        assert_eq!(
            result.parameters, 840,
            "equal parameters: {:?}",
            result.settings.model
        );
        for rate in [0.001, 0.02] {
            let of = grid.folder(&weightware_train::grid::Cell {
                rate,
                ..best.clone()
            });
            let text = fs::read_to_string(out.join(of).join(files::RESULT)).unwrap();
            let other: RunResult = serde_json::from_str(&text).unwrap();
            let accuracy = |run: &RunResult| run.tests[0].accuracy + run.tests[1].accuracy;
            assert!(accuracy(&result) >= accuracy(&other));
        }
    }
    let arguments = [
        "report",
        "out",
        "--out",
        "page.md",
        "--introduction",
        "introduction.md",
    ];
    let report = program(&arguments, dir);
    assert!(report.status.success(), "{}", stderr(&report));
    let page = fs::read_to_string(dir.join("page.md")).unwrap();
    assert!(
        page.starts_with("# Heads\n\nAn introduction.\n\n## parity\n\nParity.\n"),
        "{page}"
    );
    let rows: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with("| 2x4 |"))
        .collect();
    assert_eq!(rows.len(), 1);
    assert!(rows[0].starts_with("| 2x4 | 4 | 840 |"), "{}", rows[0]);
    assert!(
        rows[0].matches('±').count() == 2,
        "two seeds, two tests: {}",
        rows[0]
    );
    let plot = fs::read_to_string(dir.join("page/parity.svg")).unwrap();
    assert_eq!(plot.matches("<polyline").count(), 2);
    assert_eq!(plot.matches("<circle").count(), 6);
    let collected = fs::read_to_string(dir.join("page/results.json")).unwrap();
    let collected: serde_json::Value = serde_json::from_str(&collected).unwrap();
    assert_eq!(collected.as_array().unwrap().len(), 10);
}

#[test]
fn committed_settings_are_right() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let grid = Grid::read(&folder.join("grids/head-dimension.toml")).unwrap();
    for (experiment, of) in grid.experiments.iter().enumerate() {
        for variant in 0..of.variants.len() {
            let (rate, seed) = (of.rates[0], of.seeds[0]);
            let cell = weightware_train::grid::Cell {
                experiment,
                variant,
                rate,
                seed,
            };
            let settings = grid.settings(&cell).unwrap();
            let config = settings.config(32, 64).unwrap();
            let width = config.attention_width();
            let is_equal = width == config.d_model || (config.head_dim == 3 && width == 63);
            assert!(is_equal, "{}: {width}", of.variants[variant].name);
        }
    }
    weightware_train::Settings::read(&folder.join("configs/demo.toml")).unwrap();
}

#[test]
fn failures_have_their_codes_and_name_the_remedy() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let usage = program(&["run"], dir);
    assert_eq!(usage.status.code(), Some(2));
    let missing = program(&["run", "none.toml", "--out", "out"], dir);
    assert_eq!(missing.status.code(), Some(1));
    assert!(
        stderr(&missing).contains("none.toml"),
        "{}",
        stderr(&missing)
    );
    let training = "[training]\nsteps = 2\nbatch = 1\nlearning_rate = 0.1\n";
    let task = "[task]\nkind = \"tracking\"\ngroup = \"z2\"\nlength = 3\ntests = [3]\n";
    let cases = [
        ("steps = 1", "unknown field"),
        ("[model]\nheads = 3\nhead_product = true", "[model]"),
        ("[model]\ncolour = \"red\"", "colour"),
        ("[model]\nd_model = -1", "[model]"),
        (
            "[sample]\ncharacters = 1\ntemperature = -1.0",
            "sample.temperature",
        ),
    ];
    for (keys, must) in cases {
        let text = match keys.starts_with('[') {
            true => format!("{training}{task}{keys}\n"),
            false => format!("{keys}\n{training}{task}"),
        };
        fs::write(dir.join("case.toml"), text).unwrap();
        let failed = program(&["run", "case.toml", "--out", "out"], dir);
        assert_eq!(failed.status.code(), Some(1), "{keys}");
        assert!(
            stderr(&failed).contains(must),
            "{keys}: {}",
            stderr(&failed)
        );
    }
    fs::write(dir.join("case.toml"), format!("{training}{task}")).unwrap();
    let done = program(&["run", "case.toml", "--out", "out"], dir);
    assert!(done.status.success(), "{}", stderr(&done));
    assert!(
        stderr(&done).is_empty(),
        "no progress without a terminal: {}",
        stderr(&done)
    );
    let occupied = program(&["run", "case.toml", "--out", "out"], dir);
    assert_eq!(occupied.status.code(), Some(1));
    assert!(
        stderr(&occupied).contains("--resume"),
        "{}",
        stderr(&occupied)
    );
    let tests = program(&["eval", "out"], dir);
    assert!(tests.status.success() && String::from_utf8_lossy(&tests.stdout).contains("length 3"));
}
