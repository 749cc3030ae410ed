//! WASI preview 1 for the independent engine: the functions that a C library needs.

use wasmi::{Caller, Error, Linker};

use crate::host::Host;

const MODULE: &str = "wasi_snapshot_preview1";
const STDOUT: u32 = 1;
const STDERR: u32 = 2;
const SUCCESS: i32 = 0;
const BADF: i32 = 8;
const SPIPE: i32 = 70;

type At<'a> = Caller<'a, Host>;

fn memory(caller: &At<'_>) -> wasmi::Memory {
    let export = caller.get_export("memory");
    export
        .and_then(wasmi::Extern::into_memory)
        .expect("a program of WASI exports its memory")
}

fn store(caller: &mut At<'_>, address: usize, bytes: &[u8]) {
    memory(caller)
        .write(caller, address, bytes)
        .expect("a program of the corpus passes valid pointers");
}

fn load(caller: &At<'_>, address: usize) -> usize {
    let mut bytes = [0; 4];
    memory(caller)
        .read(caller, address, &mut bytes)
        .expect("a program of the corpus passes valid pointers");
    u32::from_le_bytes(bytes) as usize
}

fn word(number: usize) -> [u8; 4] {
    (number as u32).to_le_bytes()
}

/// The address and length of each buffer.
fn buffers(caller: &At<'_>, at: u32, count: u32) -> Vec<(usize, usize)> {
    let places = (0..count as usize).map(|index| at as usize + 8 * index);
    places
        .map(|place| (load(caller, place), load(caller, place + 4)))
        .collect()
}

fn sizes(caller: &mut At<'_>, strings: &[Vec<u8>], count: u32, bytes: u32) {
    store(caller, count as usize, &word(strings.len()));
    let length = strings.iter().map(|string| string.len() + 1).sum();
    store(caller, bytes as usize, &word(length));
}

fn list(caller: &mut At<'_>, strings: &[Vec<u8>], pointers: u32, buffer: u32) {
    let mut at = buffer as usize;
    for (index, string) in strings.iter().enumerate() {
        store(caller, pointers as usize + 4 * index, &word(at));
        store(caller, at, string);
        at += string.len();
        store(caller, at, &[0]);
        at += 1;
    }
}

/// Defines the functions.
pub(crate) fn define(linker: &mut Linker<Host>) -> Result<(), Error> {
    linker.func_wrap(
        MODULE,
        "args_sizes_get",
        |mut caller: At<'_>, count: u32, bytes: u32| {
            let strings = caller.data().input.arguments.clone();
            sizes(&mut caller, &strings, count, bytes);
            SUCCESS
        },
    )?;
    linker.func_wrap(
        MODULE,
        "args_get",
        |mut caller: At<'_>, pointers: u32, buffer: u32| {
            let strings = caller.data().input.arguments.clone();
            list(&mut caller, &strings, pointers, buffer);
            SUCCESS
        },
    )?;
    linker.func_wrap(
        MODULE,
        "environ_sizes_get",
        |mut caller: At<'_>, count: u32, bytes: u32| {
            let strings = caller.data().input.environment.clone();
            sizes(&mut caller, &strings, count, bytes);
            SUCCESS
        },
    )?;
    linker.func_wrap(
        MODULE,
        "environ_get",
        |mut caller: At<'_>, pointers: u32, buffer: u32| {
            let strings = caller.data().input.environment.clone();
            list(&mut caller, &strings, pointers, buffer);
            SUCCESS
        },
    )?;
    linker.func_wrap(
        MODULE,
        "fd_write",
        |mut caller: At<'_>, fd: u32, at: u32, count: u32, written: u32| {
            if !matches!(fd, STDOUT | STDERR) {
                return BADF;
            }
            let mut total = 0;
            for (address, length) in buffers(&caller, at, count) {
                let mut bytes = vec![0; length];
                memory(&caller)
                    .read(&caller, address, &mut bytes)
                    .expect("a program of the corpus passes valid pointers");
                let streams = &mut caller.data_mut().streams;
                match fd {
                    STDOUT => streams.output.extend(bytes),
                    _ => streams.stderr.extend(bytes),
                }
                total += length;
            }
            store(&mut caller, written as usize, &word(total));
            SUCCESS
        },
    )?;
    linker.func_wrap(
        MODULE,
        "fd_read",
        |mut caller: At<'_>, fd: u32, at: u32, count: u32, read: u32| {
            if fd != 0 {
                return BADF;
            }
            let mut total = 0;
            for (address, length) in buffers(&caller, at, count) {
                let host = caller.data_mut();
                let left = &host.input.bytes[host.read..];
                let bytes = left[..length.min(left.len())].to_vec();
                host.read += bytes.len();
                total += bytes.len();
                store(&mut caller, address, &bytes);
            }
            store(&mut caller, read as usize, &word(total));
            SUCCESS
        },
    )?;
    linker.func_wrap(
        MODULE,
        "fd_close",
        |_: At<'_>, fd: u32| {
            if fd < 3 { SUCCESS } else { BADF }
        },
    )?;
    linker.func_wrap(
        MODULE,
        "fd_seek",
        |_: At<'_>, fd: u32, _: i64, _: u32, _: u32| {
            if fd < 3 { SPIPE } else { BADF }
        },
    )?;
    for name in ["fd_pread", "fd_pwrite"] {
        linker.func_wrap(
            MODULE,
            name,
            |_: At<'_>, fd: u32, _: u32, _: u32, _: i64, _: u32| {
                if fd < 3 { SPIPE } else { BADF }
            },
        )?;
    }
    linker.func_wrap(
        MODULE,
        "fd_fdstat_get",
        |mut caller: At<'_>, fd: u32, at: u32| {
            if fd >= 3 {
                return BADF;
            }
            let mut stat = [0; 24];
            stat[8] = 0x42;
            store(&mut caller, at as usize, &stat);
            SUCCESS
        },
    )?;
    linker.func_wrap(
        MODULE,
        "proc_exit",
        |_: At<'_>, code: i32| -> Result<(), Error> { Err(Error::i32_exit(code)) },
    )?;
    Ok(())
}
