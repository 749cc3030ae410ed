//! The host functions that a module may import, classified by what they need.

use super::Import;

/// The module of WASI's functions.
pub(crate) const WASI: &str = "wasi_snapshot_preview1";

/// WASI's functions that read the input.
pub(crate) const INPUT: [&str; 1] = ["fd_read"];

/// WASI's functions that read arguments or environment.
pub(crate) const ARGUMENTS: [&str; 4] = [
    "args_get",
    "args_sizes_get",
    "environ_get",
    "environ_sizes_get",
];

/// WASI's functions of files, directories and sockets. The machine has none, so every descriptor is
/// bad.
pub(crate) const FILES: [&str; 25] = [
    "fd_advise",
    "fd_allocate",
    "fd_datasync",
    "fd_fdstat_set_rights",
    "fd_filestat_set_size",
    "fd_filestat_set_times",
    "fd_prestat_dir_name",
    "fd_prestat_get",
    "fd_readdir",
    "fd_renumber",
    "fd_sync",
    "path_create_directory",
    "path_filestat_get",
    "path_filestat_set_times",
    "path_link",
    "path_open",
    "path_readlink",
    "path_remove_directory",
    "path_rename",
    "path_symlink",
    "path_unlink_file",
    "sock_accept",
    "sock_recv",
    "sock_send",
    "sock_shutdown",
];

/// WASI's functions that are not implemented.
pub(crate) const MISSING: [&str; 2] = ["poll_oneoff", "proc_raise"];

/// The error of a bad descriptor.
pub(crate) const BADF: u32 = 8;
/// The error of a function that is not implemented.
pub(crate) const NOSYS: u32 = 52;

/// Whether a function needs data beside the guest's memory.
pub(crate) fn needs_hidden_data(import: &Import<'_>) -> bool {
    match import.module {
        "env" => import.name == "getchar",
        WASI => INPUT.contains(&import.name) || ARGUMENTS.contains(&import.name),
        _ => false,
    }
}
