//! Options that are about rules: which ones, and the commands that look at them or write them.

use std::path::PathBuf;

use clap::Args;

/// Which rules, and how their draws fall.
#[derive(Args, Debug)]
pub struct Rules {
    /// A rules file, `-` for standard input; `rules.toml` unless given; may be repeated: rules are tried in the order
    /// of the files
    #[arg(short = 'r', long = "rules", value_name = "FILE", env = "FRACAS_RULES", hide_env_values = true)]
    #[arg(id = "rules")]
    pub files: Vec<PathBuf>,
    /// A rule on one line, tried before those of files: `PUT /items/{id} first=1 kind=version`; may be repeated
    #[arg(long = "rule", value_name = "RULE", id = "rule")]
    pub words: Vec<String>,
    /// Same seed, same decisions
    #[arg(short, long, value_name = "N", env = "FRACAS_SEED", hide_env_values = true)]
    pub seed: Option<String>,
}

impl Rules {
    /// The files that were asked for; an empty variable asks for none.
    pub fn files(&self) -> Vec<PathBuf> {
        asked_for(&self.files)
    }
}

fn asked_for(files: &[PathBuf]) -> Vec<PathBuf> {
    files.iter().filter(|file| !file.as_os_str().is_empty()).cloned().collect()
}

#[derive(Args, Debug)]
pub struct CheckArguments {
    /// The rules files, as one set of rules; `-` for standard input; `rules.toml` unless given
    #[arg(value_name = "FILE", env = "FRACAS_RULES", hide_env_values = true)]
    pub files: Vec<PathBuf>,
    /// The same as FILE, as `serve` and `run` have it
    #[arg(short = 'r', long = "rules", value_name = "FILE", id = "rules")]
    pub named: Vec<PathBuf>,
    /// A rule on one line, tried before those of files; may be repeated
    #[arg(long = "rule", value_name = "RULE", id = "rule")]
    pub words: Vec<String>,
}

impl CheckArguments {
    /// The files that were asked for; an empty variable asks for none.
    pub fn files(&self) -> Vec<PathBuf> {
        // A variable gives way to a flag.
        asked_for(if self.named.is_empty() { &self.files } else { &self.named })
    }
}

#[derive(Args, Debug)]
#[command(after_help = EXPLAIN_HELP)]
pub struct ExplainArguments {
    /// The request's method; or alone, a check (`R5`) or the code of a mistake (`bad-duration`)
    pub method: String,
    /// The request's path and query, or a whole URL
    pub path: Option<String>,
    /// A header of the request; may be repeated
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    pub headers: Vec<String>,
    /// The request's body
    #[arg(short, long, value_name = "BODY")]
    pub data: Option<String>,
    /// How many such requests
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub times: u32,
    #[command(flatten)]
    pub rules: Rules,
}

const EXPLAIN_HELP: &str = "\
Examples:
  fracas explain PUT /items/7 -H 'if-match: \"3\"' --times 3
  fracas explain R5               what the check R5 asks of clients
  fracas explain bad-duration     what `error[bad-duration]` means";

#[derive(Args, Debug)]
#[command(after_help = INIT_HELP)]
pub struct InitArguments {
    /// Write rules for what a service does: an OpenAPI 3 description (YAML or JSON), a HAR, or a journal; `-` for
    /// standard input
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// Where the rules go, instead of rules.toml; `-` for standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Overwrite what is there
    #[arg(long)]
    pub force: bool,
}

const INIT_HELP: &str = "\
Examples:
  fracas init                                 the sample rules, to change
  fracas init --from openapi.yaml             a rule for each write and conflict that it describes
  fracas init --from run.har -o - | fracas -r - -u http://localhost:9000";
