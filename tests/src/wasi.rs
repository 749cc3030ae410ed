//! WASI preview 1 for the independent engine, with what the machine offers: streams, arguments,
//! clocks and random bytes that are the same in every run, and no files.

use wasmi::{Caller, Error, ExternType, Linker, Module, Val};

use crate::host::Host;

const MODULE: &str = "wasi_snapshot_preview1";
const STDOUT: u32 = 1;
const STDERR: u32 = 2;
const SUCCESS: i32 = 0;
const BADF: i32 = 8;
const INVAL: i32 = 28;
const NOSYS: i32 = 52;
const SPIPE: i32 = 70;

/// How many clocks there are.
const CLOCKS: u32 = 4;
/// Nanoseconds by which a clock advances at every read.
const TICK: u64 = 1_000_000;
/// The state before the first random byte.
const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

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

/// Defines the functions that a module may import.
pub(crate) fn define(linker: &mut Linker<Host>, module: &Module) -> Result<(), Error> {
    define_streams(linker)?;
    define_clocks(linker)?;
    define_absent(linker, module)
}

fn define_streams(linker: &mut Linker<Host>) -> Result<(), Error> {
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
    linker.func_wrap(MODULE, "fd_close", |_: At<'_>, fd: u32| only(fd, SUCCESS))?;
    linker.func_wrap(
        MODULE,
        "fd_seek",
        |_: At<'_>, fd: u32, _: i64, _: u32, _: u32| only(fd, SPIPE),
    )?;
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
    let at_an_offset = |_: At<'_>, fd: u32, _: u32, _: u32, _: i64, _: u32| only(fd, SPIPE);
    linker.func_wrap(MODULE, "fd_pread", at_an_offset)?;
    linker.func_wrap(MODULE, "fd_pwrite", at_an_offset)?;
    linker.func_wrap(MODULE, "fd_tell", |_: At<'_>, fd: u32, _: u32| {
        only(fd, SPIPE)
    })?;
    linker.func_wrap(
        MODULE,
        "fd_fdstat_set_flags",
        |_: At<'_>, fd: u32, _: u32| only(fd, SUCCESS),
    )?;
    linker.func_wrap(
        MODULE,
        "fd_filestat_get",
        |mut caller: At<'_>, fd: u32, at: u32| {
            if fd >= 3 {
                return BADF;
            }
            let mut stat = [0; 64];
            stat[24] = 1;
            store(&mut caller, at as usize, &stat);
            SUCCESS
        },
    )?;
    Ok(())
}

/// The answer for the three streams; other descriptors are bad.
fn only(fd: u32, errno: i32) -> i32 {
    if fd < 3 { errno } else { BADF }
}

fn define_clocks(linker: &mut Linker<Host>) -> Result<(), Error> {
    linker.func_wrap(MODULE, "sched_yield", |_: At<'_>| SUCCESS)?;
    linker.func_wrap(
        MODULE,
        "clock_res_get",
        |mut caller: At<'_>, clock: u32, at: u32| {
            if clock >= CLOCKS {
                return INVAL;
            }
            store(&mut caller, at as usize, &TICK.to_le_bytes());
            SUCCESS
        },
    )?;
    linker.func_wrap(
        MODULE,
        "clock_time_get",
        |mut caller: At<'_>, clock: u32, _: i64, at: u32| {
            if clock >= CLOCKS {
                return INVAL;
            }
            let reads = caller.data().clock_reads;
            caller.data_mut().clock_reads += 1;
            store(&mut caller, at as usize, &(reads * TICK).to_le_bytes());
            SUCCESS
        },
    )?;
    linker.func_wrap(
        MODULE,
        "random_get",
        |mut caller: At<'_>, at: u32, count: u32| {
            let mut bytes = vec![0; count as usize];
            for eight in bytes.chunks_mut(8) {
                // Xorshift (Marsaglia 2003).
                let state = &mut caller.data_mut().random;
                let mut x = state.unwrap_or(SEED);
                x ^= x << 13;
                x ^= x >> 7;
                x ^= x << 17;
                *state = Some(x);
                eight.copy_from_slice(&x.to_le_bytes()[..eight.len()]);
            }
            store(&mut caller, at as usize, &bytes);
            SUCCESS
        },
    )?;
    Ok(())
}

/// Defines the functions of files, directories and sockets, of which there are none, and others
/// that are not implemented: a module imports many that it never calls.
fn define_absent(linker: &mut Linker<Host>, module: &Module) -> Result<(), Error> {
    for import in module.imports().filter(|import| import.module() == MODULE) {
        let ExternType::Func(ty) = import.ty() else {
            continue;
        };
        let of_a_file = ["fd_", "path_", "sock_"]
            .iter()
            .any(|prefix| import.name().starts_with(prefix));
        let errno = if of_a_file { BADF } else { NOSYS };
        let absent = move |_: At<'_>, _: &[Val], results: &mut [Val]| -> Result<(), Error> {
            results.fill(Val::I32(errno));
            Ok(())
        };
        // The linker keeps the first definition of a name.
        let _ = linker.func_new(MODULE, import.name(), ty.clone(), absent);
    }
    Ok(())
}
