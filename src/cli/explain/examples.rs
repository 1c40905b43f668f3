//! A small rules file for each code. Reading it makes the code's message, so users get the same text.

use crate::rules::{self, BodyFileError, Code};

/// Files that provoke each code. Missing codes are about files on disk, which an example cannot have.
const EXAMPLES: [(Code, &str); 33] = [
    (Code::Syntax, "[[rule]]\nmethod = PUT"),
    (Code::MissingFile, "[[rule]]\nreply = { body_file = \"nowhere.json\" }"),
    (Code::UnsetVariable, "[[rule]]\nheader = { x-tenant = \"${TENANT}\" }"),
    (Code::UnknownKey, "[[rule]]\nevry = 5\ncolour = \"red\""),
    (Code::WrongType, "[[rule]]\nfirst = \"two\""),
    (Code::OutOfRange, "[[rule]]\nrate = 25"),
    (Code::UnknownValue, "[[rule]]\nkind = \"versoin\""),
    (Code::MissingKey, "[[rule]]\non = \"expired\"\nper = \"cookie:session\""),
    (Code::NotTogether, "[[rule]]\npath = \"/items/{id}\"\npath_regex = '/items/\\d+'"),
    (Code::TwoTriggers, "[[rule]]\nrate = 0.25\nfirst = 2"),
    (Code::BadName, "[[rule]]\nname = \"it \\\"fails\\\"\""),
    (
        Code::DuplicateName,
        "[[rule]]\nname = \"a\"\nmethod = \"PUT\"\n[[rule]]\nname = \"a\"\nmethod = \"GET\"",
    ),
    (Code::BadDuration, "[timeouts]\nconnect = \"2 secs\""),
    (Code::BadSize, "body_limit = \"64 kilo\""),
    (Code::BadRate, "[[rule]]\nabove = \"20 per second\""),
    (Code::BadAddress, "listen = \"localhost\""),
    (Code::BadUrl, "upstream = \"localhost:9000\""),
    (Code::BadMethod, "[[rule]]\nmethod = \"put\""),
    (Code::BadStatus, "[[rule]]\nreply = { status = 100 }"),
    (Code::BadPattern, "[[rule]]\npath = \"/items/:id\""),
    (Code::BadRegex, "[[rule]]\npath_regex = '/items/(\\d+'"),
    (Code::BadHeader, "[[rule]]\nreply = { headers = { \"x y\" = \"1\" } }"),
    (Code::BadPointer, "[[rule]]\nbody = { \"name\" = \"lamp\" }"),
    (Code::NotCaptured, "[[rule]]\npath = \"/items/{id}\"\nfirst = 1\nper = \"param:ident\""),
    (Code::UnknownPlaceholder, "[[rule]]\nreply = { body = \"{sort}\" }"),
    (Code::OwnListener, "listen = \"127.0.0.1:4090\"\nupstream = \"http://127.0.0.1:4090\""),
    (Code::NotYet, "admin = \"127.0.0.1:4091\""),
    (Code::NeverReached, "[[rule]]\n[[rule]]\nmethod = \"PUT\""),
    (Code::NeverMatches, "[[rule]]\nmethod = \"GET\"\nbody = { \"/name\" = \"lamp\" }"),
    (Code::OutlivesState, "[limits]\nkey_ttl = \"1m\"\n[[rule]]\nfirst = 1\nclear = \"5m\""),
    (Code::OutlastsConflict, "[[rule]]\nfirst = 1\nclear = \"1s\"\nreply = { retry_after = \"5s\" }"),
    (Code::Insecure, "upstream = \"https://staging.example\"\n[upstream_tls]\ninsecure = true"),
    (Code::NoEffect, "[[rule]]\nduring = {}\nrate = 0.5"),
];

/// The file and its diagnostic.
pub fn of(code: Code) -> Option<(&'static str, String)> {
    let (_, text) = EXAMPLES.iter().find(|(example, _)| *example == code)?;
    let said = match rules::read("rules.toml", text, &|_| Err(BodyFileError::Missing)) {
        Err(mistakes) => mistakes.to_string(),
        Ok(accepted) => accepted.warnings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
    };
    said.contains(&format!("[{code}]")).then_some((*text, said))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_an_example_that_shows_it() {
        const WITHOUT: [Code; 8] = [
            Code::BadUtf8,
            Code::TooLarge,
            Code::OutsideFolder,
            Code::IncludeCycle,
            Code::FileTwice,
            Code::GivenTwice,
            Code::BadCertificate,
            Code::SameAddress,
        ];
        for code in Code::ALL {
            assert_eq!(of(*code).is_some(), !WITHOUT.contains(code), "{code}");
        }
    }
}
