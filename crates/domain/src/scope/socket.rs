//! Messages to PostgreSQL that are sent at once.
//!
//! sqlx 0.9.0 forgets `TCP_NODELAY` (its issue 4335; mended in its repository, not yet released).
//! The end of every message longer than a segment then waits for PostgreSQL to acknowledge its
//! beginning, which takes 40 ms: a batch of 500 scans took 250 ms, 160 of them waiting. sqlx gives no
//! way to its sockets, so the option is set through their descriptors. When sqlx 0.9.1 is out, this
//! file and `nix` go.

use nix::sys::socket::{setsockopt, sockopt::TcpNoDelay};

/// Sets `TCP_NODELAY` on the process's sockets. Clients' are better off with it too, and on
/// descriptors of another kind it does nothing.
pub(super) fn send_at_once() {
    // Without that folder messages are as slow as they were.
    let descriptors = std::fs::read_dir("/dev/fd").into_iter().flatten().flatten();
    for descriptor in descriptors {
        let number = descriptor.file_name().to_str().map(str::parse);
        if let Some(Ok(number)) = number {
            let _ = setsockopt(number, TcpNoDelay, &true);
        }
    }
}
