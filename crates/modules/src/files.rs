//! The files of `library/`, embedded.

/// A file of the library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct File {
    /// The path below the library's folder, with slashes.
    pub path: &'static str,
    /// The contents.
    pub text: &'static str,
}

macro_rules! files {
    ($($path:literal)*) => {
        &[$(File { path: $path, text: include_str!(concat!("../library/", $path)) }),*]
    };
}

macro_rules! library {
    ($($name:literal: $files:expr;)*) => {
        &[$((
            include_str!(concat!("../library/", $name, "/module.toml")),
            $files,
            include_bytes!(concat!("../library/", $name, "/", $name, ".wasm")),
        )),*]
    };
}

/// The header that the headers of all modules include.
pub const SHARED: File = File {
    path: "module.h",
    text: include_str!("../library/module.h"),
};

/// Manifest and files of each module, the public header first.
pub(crate) const LIBRARY: &[(&str, &[File], &[u8])] = library! {
    "crypto": files![
        "crypto/crypto.h"
        "crypto/bytes.h"
        "crypto/crypto.c"
        "crypto/sha256.c"
    ];
    "dsp": files![
        "dsp/dsp.h"
        "dsp/filters.c"
        "dsp/sines.c"
        "dsp/sines.h"
        "dsp/transforms.c"
    ];
    "graph": files![
        "graph/graph.h"
        "graph/flows.c"
        "graph/paths.c"
        "graph/search.c"
    ];
    "math": files![
        "math/math.h"
        "math/constants.h"
        "math/exponential.c"
        "math/integers.c"
        "math/modular.c"
        "math/rounding.c"
        "math/trigonometric.c"
        "math/wide.c"
        "math/wide.h"
    ];
    "sorting": files![
        "sorting/sorting.h"
        "sorting/generic.c"
        "sorting/searched.h"
        "sorting/sorted.h"
        "sorting/sorting.c"
    ];
    "strings": files![
        "strings/strings.h"
        "strings/decimal.c"
        "strings/format.c"
        "strings/format_f64.c"
        "strings/integers.c"
        "strings/libc.c"
        "strings/memory.c"
        "strings/parts.h"
        "strings/strtod.c"
        "strings/text.c"
    ];
};
