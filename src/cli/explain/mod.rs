//! `fracas explain`: the rule that would respond to a request and why the others would not, or the meaning of
//! a check or of a mistake's code. Nothing is sent: the rules are asked as the proxy asks them, with counters
//! at zero.

mod examples;
mod request;
#[cfg(test)]
mod tests;
mod topic;
mod walk;
mod words;

use std::io::{self, IsTerminal as _};
use std::process::ExitCode;

use self::walk::walk;
use super::arguments::{ExplainArguments, SettingOverride};
use super::load::load;
use super::output::{result, width};
use super::startup_error::StartupError;
use crate::engine::RuleSet;
use crate::model::{Facts, sanitize};
use crate::proxy::StartError;
use crate::rules::Config;

/// Explains the responses to the next requests.
pub fn explain(arguments: &ExplainArguments, given: &[SettingOverride]) -> ExitCode {
    let Some(path) = &arguments.path else {
        return match topic::about(&arguments.method) {
            Ok(text) => result(text),
            Err(refusal) => refusal.report_alone(),
        };
    };
    match text(arguments, path, given) {
        Ok(text) => result(text),
        Err(refusal @ StartupError::Mistakes(_)) => refusal.report_alone(),
        Err(refusal) => refusal.report(),
    }
}

fn text(arguments: &ExplainArguments, path: &str, given: &[SettingOverride]) -> Result<String, StartupError> {
    let Config { settings, rules } = load(&arguments.rules, given)?.config;
    let request = request::read(arguments, path, &settings)?;
    let rules = RuleSet::new(rules, settings.seed, settings.mark).map_err(StartError::Replies)?;
    let mut facts = Facts::new(&request.head, request::CLIENT);
    facts.body = request.body;
    let walked = walk(&rules, &mut facts, &settings, arguments.times);
    // Output to a pipe is searched rather than read, so it has a line for each rule.
    let out = io::stdout();
    let width = if out.is_terminal() { width(&out).columns() } else { usize::MAX };
    Ok(words::table(&rules, &walked, width) + &note(&arguments.method, path))
}

/// HTTP tells `put` from `PUT` (RFC 9110 §9.1), and `put` on the command line means `PUT`.
fn note(method: &str, path: &str) -> String {
    let capitals = method.to_ascii_uppercase();
    let is_usual = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"].contains(&&*capitals);
    if !is_usual || capitals == method {
        return String::new();
    }
    format!("note: methods are in capitals: `fracas explain {capitals} {}`\n", sanitize(path, 120))
}
