//! Drivers as programs of the host.

use std::io::Write;
use std::process::{Command, Stdio};
use std::thread;

use weightware_modules::Module;

/// Compiles a module's driver with `cc`, with its checks of undefined behaviour, and runs it. An
/// oracle may stand for functions of the module.
pub(super) fn replies(module: &Module, oracle: &str, requests: &[u8]) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let program = folder.path().join("driver");
    let compiled = Command::new("cc")
        .args(["-O2", "-std=gnu11", "-DWEIGHTWARE_LINK_STATIC"])
        .args(["-fno-builtin", "-ffp-contract=off"])
        .args(["-fsanitize=undefined,address", "-fno-sanitize-recover=all"])
        .arg("-I")
        .arg(folder.path())
        .args(super::write(
            module,
            &super::source(module, oracle),
            folder.path(),
        ))
        .arg("-o")
        .arg(&program)
        .output()
        .unwrap_or_else(|error| {
            panic!("cc: {error}; install a C compiler (Debian: apt install gcc)")
        });
    let said = String::from_utf8_lossy(&compiled.stderr);
    assert!(compiled.status.success(), "cc, {}: {said}", module.name);
    let mut child = Command::new(&program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the driver starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let output = thread::scope(|scope| {
        // Writing stops if the driver ends early; its status says so below.
        scope.spawn(move || stdin.write_all(requests));
        child.wait_with_output().expect("the driver ends")
    });
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{}: {} {said}",
        module.name,
        output.status
    );
    output.stdout
}
