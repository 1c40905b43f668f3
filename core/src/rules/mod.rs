//! Floor 1: the text of a rules file becomes a [`Config`], or every mistake in it.
//!
//! Only valid values live in these types: a [`Rule`] need not be checked again.

mod addresses;
mod code;
mod diagnostic;
mod keys;
mod pass;
mod read;
mod replies;
mod rule;
mod settings;
pub(crate) mod styles;
pub mod template;
mod trigger;
mod triggers;
mod units;
mod unsupported;

pub use addresses::{check_settings, own_listener};
pub use code::Code;
pub use diagnostic::{Also, Diagnostic, Mistakes, Paint, Severity, SourceText};
pub use keys::{grouped, reference, schema};
pub use pass::PassFaults;
pub use read::{
    Accepted, BodyFileError, BodyFiles, FoundFile, IncludeError, LARGEST_BODY, LARGEST_FILE, MOST_FILES,
    MOST_RULES, NotText, RulesText, Sources, Surroundings, TextForm, read, read_all, upstream_from,
};
pub use replies::{MOST_REPLIES, Replies, ReplyChoice};
pub use rule::{
    Delay, During, Expect, Grade, ReadSelector, ReplyBody, ReplySettings, RetryAfterSetting, Rule, VersionAt,
    VersionSource, WaitLength,
};
pub use settings::{
    Admin, Authority, ClientCertificate, HostHeader, JournalSettings, Limits, NamedFile, Scheme, Settings,
    StateStore, Timeouts, Tls, Trust, Upstream, UpstreamTls, UpstreamUrl,
};
pub use styles::ReplyStyle;
pub use trigger::{Clear, CountedTrigger, LostResponse, RulePhase, Trigger};
pub use triggers::{Pattern, Rate, Schedule, Selector, State, StateDefinition, trigger_examples};

/// A whole rules file, valid.
#[derive(Clone, Debug)]
pub struct Config {
    /// Everything outside `[[rule]]`.
    pub settings: Settings,
    /// The rules, in file order.
    pub rules: Vec<Rule>,
}

impl Config {
    /// The configuration without a rules file: every default and no rule.
    pub fn builtin() -> Config {
        Config { settings: Settings::default(), rules: Vec::new() }
    }
}
