//! Functions that programs import from a model's weights: all of them, by fewer of the same cases.

use std::collections::BTreeSet;

use weightware_modules::Module;

use crate::driver::{Called, Target};
use crate::{crypto, dsp, elementary, formats, graph, integers, numbers, sorting, strings};

/// The tests of a module called every function that its manifest states.
fn covers(module: &str, called: impl IntoIterator<Item = Called>) {
    let called: Called = called.into_iter().flatten().collect();
    let functions = &Module::named(module).expect("a module").functions;
    let stated: Called = functions.iter().map(|f| f.name.clone()).collect();
    assert_eq!(called, stated, "{module}");
}

macro_rules! modules {
    ($($name:ident: $($tests:expr),+;)*) => {
        $(#[test]
        fn $name() {
            covers(stringify!($name), [$($tests),+]);
        })*

        const TESTED: &[&str] = &[$(stringify!($name)),*];
    };
}

modules! {
    crypto: crypto::all(Target::Imported), crypto::published(Target::Imported);
    dsp: dsp::all(Target::Imported);
    graph: graph::all(Target::Imported);
    math:
        integers::all(Target::Imported),
        integers::few_primes(Target::Imported),
        elementary::elementary(Target::Imported, 3),
        elementary::exact(Target::Imported);
    sorting: sorting::all(Target::Imported);
    strings: strings::all(Target::Imported), numbers::imported(), formats::imported();
}

#[test]
fn all_modules_are_tested() {
    let all = Module::all().iter().map(|module| module.name.as_str());
    assert_eq!(
        all.collect::<BTreeSet<_>>(),
        TESTED.iter().copied().collect()
    );
}
