//! Fuzzing in the suite. `fuzz/` looks for failing bytes with coverage, without end; here the same checks
//! run over its findings, and over a bounded number of random cases, the same ones each time.

mod checks;

use std::fs;
use std::path::Path;

use super::support::is_full;
use fracas::model::{Dice, KeyHash};

/// Random numbers, the same in every run.
struct Chance(Dice, u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.1 += 1;
        (self.0.draw(KeyHash(0), self.1) % bound.max(1) as u64) as usize
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        let length = self.below(most);
        (0..length).map(|_| self.below(256) as u8).collect()
    }

    /// A few of the changes that fuzzers make: a byte changed, a piece taken out, doubled, or put in from
    /// another seed.
    fn mutate(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = seeds[self.below(seeds.len())].clone();
        for _ in 0..=self.below(4) {
            let from = self.below(bytes.len() + 1);
            let to = (from + self.below(24)).min(bytes.len());
            match self.below(5) {
                0 if from < bytes.len() => bytes[from] = self.below(256) as u8,
                1 if from < bytes.len() => bytes[from] ^= 1 << self.below(8),
                2 => drop(bytes.drain(from..to)),
                3 => {
                    let piece = bytes[from..to].to_vec();
                    bytes.splice(from..from, piece);
                }
                _ => {
                    let other = &seeds[self.below(seeds.len())];
                    let start = self.below(other.len() + 1);
                    let end = (start + self.below(60)).min(other.len());
                    bytes.splice(from..from, other[start..end].iter().copied());
                }
            }
        }
        bytes
    }
}

/// Every file directly in these folders of the repository.
fn files(folders: &[&str]) -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths: Vec<_> = folders
        .iter()
        .flat_map(|folder| fs::read_dir(root.join(folder)).expect(folder))
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.is_file() && path.extension().is_none_or(|extension| extension == "toml"))
        .collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).expect("readable")).collect()
}

/// Runs `check` over earlier findings, the seeds, `times` changed seeds, and as many cases of noise.
fn run(name: &str, check: fn(&[u8]), seeds: &[Vec<u8>], times: usize) {
    let found = files(&[&format!("fuzz/found/{name}")]);
    assert!(!found.is_empty(), "what `fuzz` found, and a first seed, are cases for ever");
    found.iter().chain(seeds).for_each(|bytes| check(bytes));
    let seeds = [found, seeds.to_vec()].concat();
    let mut chance = Chance(Dice::new(1, name), 0);
    let times = if is_full() { times * 10 } else { times };
    for _ in 0..times {
        check(&chance.mutate(&seeds));
        check(&chance.bytes(200));
    }
}

#[test]
fn any_text_is_rules_or_mistakes() {
    let seeds = files(&["", "examples", "tests/it/rules/valid", "tests/it/rules/invalid"]);
    // Some invalid files are refused for their size, and slow to read.
    let seeds: Vec<Vec<u8>> = seeds.into_iter().filter(|seed| seed.len() < 8 * 1024).collect();
    assert!(seeds.len() > 100, "the rules files are there");
    run("rules_text", checks::rules_text::check, &seeds, 500);
}

#[test]
fn the_index_finds_the_rules_of_a_linear_scan() {
    run("matcher", checks::matcher::check, &[], 3_000);
}

#[test]
fn any_bytes_are_decoded_within_bounds_however_they_are_cut() {
    let text = b"{\"a\":1},".repeat(40);
    let codings = ["gzip", "deflate", "br", "zstd", "gzip, br"];
    let seeds = codings.iter().enumerate().filter(|(_, coding)| **coding != "deflate").map(|(at, coding)| {
        let head = [at as u8, 7];
        [&head[..], &super::support::encoded::encoded(coding, &text)].concat()
    });
    run("content_codings", checks::content_codings::check, &seeds.collect::<Vec<_>>(), 1_000);
}

#[test]
fn any_header_is_rewritten_as_a_proxy_must() {
    run("header_rewriting", checks::header_rewriting::check, &[], 10_000);
}

#[test]
fn any_bytes_are_whole_requests_or_none() {
    let seeds = super::wire::desync_bytes();
    run("raw_requests", checks::raw_requests::check, &seeds, 400);
}
