//! Respells the command line as people write it into its parser's grammar.

use std::ffi::{OsStr, OsString};

use clap::Arg;
use clap::builder::{PossibleValue, TypedValueParser};

use super::misuse::COMMANDS;
use crate::report::Format;

/// A parser of words that also knows the formats of reports, so that completions offer them.
#[derive(Clone)]
pub struct OneOfFormats<T>(pub fn(&str) -> Result<T, String>);

impl<T: Clone + Send + Sync + 'static> TypedValueParser for OneOfFormats<T> {
    type Value = T;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<T, clap::Error> {
        self.0.parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(Format::ALL.into_iter().map(|format| PossibleValue::new(format.as_str()))))
    }
}

/// An address to listen on as people write it: a port alone, with or without its colon, and `localhost` mean
/// this machine alone, since nothing else was said.
pub fn listen_address(text: &str) -> String {
    let port = text.strip_prefix(':').or_else(|| text.strip_prefix("localhost:")).unwrap_or(text);
    if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) {
        format!("127.0.0.1:{port}")
    } else {
        text.to_owned()
    }
}

/// The command line in its parser's grammar: a URL in the first place is the upstream, also after `serve` or
/// `run`, and `--color` may stand before the command.
pub fn understood(words: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut words: Vec<OsString> = words.into_iter().collect();
    let colour = match words.get(1).and_then(|word| word.to_str()) {
        Some("--color") => 2,
        Some(word) if word.starts_with("--color=") => 1,
        _ => 0,
    };
    let command = words.get(colour + 1).and_then(|word| word.to_str());
    if colour > 0 && command.is_some_and(|command| COMMANDS.contains(&command)) {
        // Behind the command, before its first argument: later words may belong to `run`'s command.
        if let Some(words) = words.get_mut(1..colour + 2) {
            words.rotate_right(1);
        }
    }
    let at = match words.get(1).and_then(|word| word.to_str()) {
        Some("serve" | "run") => 2,
        _ => 1,
    };
    // Beside a URL, `localhost:9000`: it is refused with the URL that was meant.
    let is_url = |word: &str| {
        let is_host_and_port = at == 1
            && word.rsplit_once(':').is_some_and(|(host, port)| {
                !host.is_empty() && !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
            });
        !word.starts_with('-') && (word.contains("://") || is_host_and_port)
    };
    if words.get(at).and_then(|word| word.to_str()).is_some_and(is_url) {
        words.insert(at, "--upstream".into());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_in_the_first_place_is_the_upstream() {
        for (line, read) in [
            ("fracas http://localhost:9000 -q", "fracas --upstream http://localhost:9000 -q"),
            ("fracas localhost:9000", "fracas --upstream localhost:9000"),
            ("fracas serve https://a.example", "fracas serve --upstream https://a.example"),
            ("fracas run http://a.example pytest", "fracas run --upstream http://a.example pytest"),
            ("fracas run pytest http://a.example", "fracas run pytest http://a.example"),
            ("fracas explain PUT http://a.example/x", "fracas explain PUT http://a.example/x"),
            ("fracas -u http://a.example", "fracas -u http://a.example"),
            ("fracas --report=html=C:1", "fracas --report=html=C:1"),
            ("fracas --color never run x", "fracas run --color never x"),
            ("fracas --color=always run --color x", "fracas run --color=always --color x"),
            ("fracas --color never http://a.example", "fracas --color never http://a.example"),
            ("fracas --color", "fracas --color"),
            ("fracas --color never", "fracas --color never"),
            ("fracas", "fracas"),
        ] {
            let words = understood(line.split(' ').map(OsString::from));
            assert_eq!(words.join(OsStr::new(" ")), OsString::from(read), "{line}");
        }
    }

    #[test]
    fn a_port_alone_is_this_machine_s() {
        for (text, address) in [
            ("4090", "127.0.0.1:4090"),
            (":4090", "127.0.0.1:4090"),
            ("localhost:4090", "127.0.0.1:4090"),
            ("0", "127.0.0.1:0"),
            ("0.0.0.0:4090", "0.0.0.0:4090"),
            ("[::1]:4090", "[::1]:4090"),
            ("nowhere", "nowhere"),
            (":", ":"),
            ("", ""),
        ] {
            assert_eq!(listen_address(text), address, "{text}");
        }
    }
}
