//! `fracas check`: every mistake in a rules file.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use super::arguments::CheckArguments;
use super::exit_code::{MISTAKES, UNUSABLE};
use super::load::DEFAULT_FILE;
use super::output::{counted, paint, result};
use super::startup_error::StartupError;
use crate::proxy;
use crate::rules::{Code, Diagnostic};
use crate::rules_file::{self, RulesOrigin, shown};

/// Checks the file. Its mistakes are the result.
pub fn check(arguments: &CheckArguments) -> ExitCode {
    let mut files = arguments.files();
    if files.is_empty() && arguments.words.is_empty() {
        files.push(PathBuf::from(DEFAULT_FILE));
    }
    let paint = paint(&io::stdout());
    let line = arguments.words.iter().take(1).map(|_| "--rule".to_owned());
    let names: Vec<String> = line.chain(files.iter().map(|file| shown(file))).collect();
    let name = names.join(", ");
    let origin = RulesOrigin { words: &arguments.words, files: &files };
    match rules_file::load_all(origin, &proxy::check_files) {
        Ok(accepted) => {
            let rules = counted(accepted.config.rules.len() as u64, "rule");
            let mut text = rendered(&accepted.warnings, paint);
            let also = match accepted.warnings.len() as u64 {
                0 => String::new(),
                warnings => format!(", {}", counted(warnings, "warning")),
            };
            text.push_str(&format!("{name}: {rules}, no mistakes{also}\n"));
            result(text)
        }
        Err(mistakes) => {
            if mistakes.list.iter().any(is_no_file_at_all) {
                return StartupError::Mistakes(mistakes).report_alone();
            }
            let count = counted(mistakes.errors as u64, "mistake");
            let written = result(format_args!("{}\n{name}: {count}\n", mistakes.render(paint)));
            if written == ExitCode::SUCCESS { ExitCode::from(MISTAKES) } else { ExitCode::from(UNUSABLE) }
        }
    }
}

fn rendered(warnings: &[Diagnostic], paint: crate::rules::Paint) -> String {
    warnings.iter().map(|warning| warning.render(paint) + "\n").collect()
}

/// Whether it is about the rules file itself, and not about one that it names.
fn is_no_file_at_all(mistake: &Diagnostic) -> bool {
    mistake.code == Code::MissingFile && mistake.file.is_none()
}
