//! The stable codes of mistakes, with their meanings.

use std::fmt;

macro_rules! codes {
    ($($variant:ident = $word:literal: $meaning:literal,)*) => {
        /// The kind of mistake that a [`Diagnostic`](super::Diagnostic) is about. Its word never changes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = $meaning] $variant,)*
        }

        impl Code {
            /// Every code, in the order of the reference.
            pub const ALL: &[Code] = &[$(Code::$variant,)*];

            /// The word in the brackets of `error[…]`.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Code::$variant => $word,)*
                }
            }

            /// One sentence for the reference.
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Code::$variant => $meaning,)*
                }
            }
        }
    };
}

codes! {
    Syntax = "syntax": "The file is not TOML.",
    BadUtf8 = "bad-utf8": "The file is not UTF-8, so it is not TOML.",
    TooLarge = "too-large": "The file, a body or the number of rules is beyond its bound.",
    MissingFile = "missing-file": "A file does not exist or cannot be read.",
    OutsideFolder = "outside-folder": "A `body_file` or an included file lies outside the folder of the rules file.",
    IncludeCycle = "include-cycle": "A file includes itself, perhaps through others.",
    FileTwice = "file-twice": "A rules file is given or included twice.",
    GivenTwice = "given-twice": "Two files give a setting different values.",
    UnsetVariable = "unset-variable": "A `${NAME}` whose environment variable is not set.",
    UnknownKey = "unknown-key": "A key that its table does not have.",
    WrongType = "wrong-type": "A value of another type than its key takes.",
    OutOfRange = "out-of-range": "A value beyond the bounds of its key.",
    UnknownValue = "unknown-value": "A word that is not one of those its key takes.",
    MissingKey = "missing-key": "A key that another one needs is not there.",
    NotTogether = "not-together": "Keys, or values of them, that contradict each other.",
    TwoTriggers = "two-triggers": "More than one key that says which requests conflict.",
    BadName = "bad-name": "A rule's name with characters that a header cannot carry safely.",
    DuplicateName = "duplicate-name": "Two rules of one name.",
    BadDuration = "bad-duration": "Not a duration such as `\"1m30s\"`.",
    BadSize = "bad-size": "Not a size such as `\"64 KiB\"`.",
    BadRate = "bad-rate": "Not a rate of requests such as `\"20/s\"`, or of bytes such as `\"4 KiB/s\"`.",
    BadAddress = "bad-address": "Not an address, a network or an address with a port.",
    BadCertificate = "bad-certificate": "A certificate or a private key that TLS cannot be served with.",
    BadUrl = "bad-url": "Not a URL that requests can be sent to.",
    BadMethod = "bad-method": "Not an HTTP method as it is sent.",
    BadStatus = "bad-status": "Not a status that a refused client may be told.",
    BadPattern = "bad-pattern": "A path pattern, or a sequence, that does not read as one.",
    BadRegex = "bad-regex": "A regular expression that does not compile.",
    BadHeader = "bad-header": "A header name or value that HTTP does not allow, or that is not the file's to set.",
    BadPointer = "bad-pointer": "Not a JSON pointer (RFC 6901).",
    NotCaptured = "not-captured": "A `param:NAME` that the path does not capture.",
    UnknownPlaceholder = "unknown-placeholder": "A `{placeholder}` that nothing fills.",
    OwnListener = "own-listener": "The upstream is this proxy itself.",
    SameAddress = "same-address": "Two listeners on one address.",
    NotYet = "not-yet": "A key that is understood, but whose behaviour is not built yet.",
    NeverReached = "never-reached": "A warning: an earlier rule always answers first.",
    NeverMatches = "never-matches": "A warning: conditions that hardly any request meets, or state that none can.",
    OutlivesState = "outlives-state": "A warning: state is forgotten before the time that a key asks for.",
    OutlastsConflict = "outlasts-conflict": "A warning: `retry_after` asks to wait longer than the conflict lasts.",
    Insecure = "insecure": "A warning: the upstream may be anybody.",
    NoEffect = "no-effect": "A warning: a key that changes nothing here.",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
