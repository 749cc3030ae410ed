//! Programs of others: the manifests and the judge, without a compiler.

use std::fs;
use std::path::Path;

use weightware_frontend::Input;
use weightware_real::programs;
use weightware_tests::real::manifest::toolchains;
use weightware_tests::real::{Judge, Measured, Verdict};

fn page(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../docs")
        .join(name);
    fs::read_to_string(path).expect("a page")
}

#[test]
fn toolchains_have_sources_and_a_place_in_the_page() {
    let page = page("toolchains.md");
    for toolchain in toolchains().expect("a manifest") {
        let name = &toolchain.name;
        assert!(page.contains(&format!("<!-- {name} -->")), "{name}");
        assert!(page.contains(&format!("<!-- end of {name} -->")), "{name}");
        for example in &toolchain.examples {
            let mut words = example.build.split_whitespace();
            let source = words.find(|word| {
                let stem = word.strip_prefix(example.name.as_str());
                stem.is_some_and(|rest| rest.starts_with('.') && rest != ".wasm")
            });
            let source = source.unwrap_or_else(|| panic!("{name} compiles no {}", example.name));
            assert!(
                toolchain.sources().join(source).exists(),
                "{name}: {source}"
            );
        }
    }
}

#[test]
fn programs_have_a_driver_and_a_row() {
    let page = page("programs.md");
    let programs = programs().expect("a manifest");
    assert!(programs.len() >= 15, "{} programs", programs.len());
    for real in programs {
        let title = real.title();
        assert!(real.folder().join("main.c").exists(), "{title}");
        assert!(page.contains(&format!("\n| {title} | ")), "{title}");
        assert!(real.input().is_ok(), "{title}");
        assert!(
            real.script.is_none() || real.native.is_some(),
            "{title}: no native build"
        );
        let exact = |name: &String| {
            name.split_once('@')
                .is_some_and(|(_, version)| version.contains('.'))
        };
        assert!(
            real.crates.iter().all(exact),
            "{}: exact versions",
            real.name
        );
    }
}

fn measured(wat: &str) -> Measured {
    let wasm = wat::parse_str(wat).expect("Wasm text");
    Judge::new(Some(2_000)).measure(&wasm, &Input::default())
}

/// A byte goes through the memory at an address.
fn through(address: u32) -> String {
    format!(
        r#"(module (import "env" "putchar" (func $put (param i32))) (memory 20)
          (func (export "_start")
            (i32.store8 (i32.const {address}) (i32.const 65))
            (call $put (i32.load8_u (i32.const {address})))))"#
    )
}

#[test]
fn the_first_profile_that_fits_is_named() {
    for (address, profile) in [(16, "stock"), (155_647, "stock"), (1 << 20, "far")] {
        let measured = measured(&through(address));
        assert_eq!(measured.verdict, Verdict::Right, "{address}");
        assert_eq!(measured.profile, Some(profile), "{address}");
    }
}

#[test]
fn a_run_that_stops_says_at_what() {
    let long = measured(
        r#"(module (func (export "_start") (local $n i32)
          (loop (br_if 0 (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 9999))))))"#,
    );
    let Verdict::Stopped(why) = long.verdict else {
        panic!("{:?}", long.verdict);
    };
    assert!(
        why.starts_with("at the limit of tokens; the whole run has "),
        "{why}"
    );
}

#[test]
fn a_program_that_fails_is_not_right() {
    let failed = measured(r#"(module (func (export "main") (result i32) (i32.const 3)))"#);
    assert!(matches!(failed.verdict, Verdict::Unknown(_)), "{failed:?}");
    let refused =
        measured(r#"(module (func (export "_start") (drop (ref.is_null (ref.null func)))))"#);
    assert!(
        matches!(refused.verdict, Verdict::Refused(_)),
        "{refused:?}"
    );
}

#[test]
fn a_program_without_its_memory_is_not_wrong() {
    // No profile holds 200 pages beside its arguments.
    let starved = measured(
        r#"(module
          (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
          (memory (export "memory") 1)
          (func (export "_start")
            (drop (call $sizes (i32.const 0) (i32.const 4)))
            (if (i32.eq (i32.const -1) (memory.grow (i32.const 200)))
              (then (call $exit (i32.const 1))))))"#,
    );
    let Verdict::Stopped(why) = starved.verdict else {
        panic!("{:?}", starved.verdict);
    };
    assert!(why.starts_with("short of memory"), "{why}");
}
