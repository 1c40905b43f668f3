//! Cost of fracas in the path, beside well-known proxies, in one run.
//!
//! ```console
//! $ benches/side_by_side/install-peers
//! $ cargo bench --bench side_by_side -- --seconds 4 --rounds 7
//! ```
//!
//! Needs nginx, wrk, curl and taskset on the PATH (Debian: `apt-get install nginx-light wrk curl`); every
//! other peer that is installed joins in. The upstream and the load share one core, the proxy under test
//! has another to itself; the order alternates from round to round, every proxy adds the same headers,
//! and every response's status is checked. CPU time is the kernel's own account of the proxy's threads, so
//! that other load on the machine matters little. It prints the tables of docs/BENCHMARKS.md, which
//! says how to read them.
//!
//! `--work NAME,…` picks works and `--peers NAME,…` the peers beside the ones compared, by a part of their names.

#![allow(clippy::disallowed_methods, reason = "a benchmark owns its clock")]
#![allow(clippy::indexing_slicing, reason = "a benchmark that goes wrong may panic")]
#![allow(clippy::print_stdout, reason = "its result")]

mod arguments;
mod bulk;
mod compare;
mod floor;
mod idle;
mod load;
mod paced;
mod peers;
mod process;
mod start;
mod table;
mod works;

use std::error::Error;

use arguments::Arguments;

/// The allocator of fracas, so that the floor with hyper differs from it only in its work.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    // The benchmark also runs itself as a floor proxy.
    match words[..] {
        ["relay", listen, upstream] => floor::relay(listen.parse()?, upstream.parse()?),
        ["refuse", listen, _] => floor::refuse(listen.parse()?),
        ["hyper", listen, upstream] => floor::hyper(listen.parse()?, upstream.parse()?),
        ["paced", address, rate, seconds] => paced::run(address.parse()?, rate.parse()?, seconds.parse()?),
        _ => works::run(&Arguments::read(words.into_iter().map(str::to_owned))?),
    }
}
