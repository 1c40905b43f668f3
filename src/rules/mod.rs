//! Floor 1: the text of a rules file becomes a [`Config`], or every mistake in it.
//!
//! Only valid values live in these types: whoever holds a [`Rule`] need not check it again.

mod rule;
mod settings;
pub mod template;

pub use rule::{
    Clear, Delay, During, Every, Expect, Grade, LostAnswer, Pattern, Rate, Reply, ReplyBody, ReplyStyle,
    RetryAfter, Rule, Selector, State, Trigger, VersionSource,
};
pub use settings::{
    Admin, Authority, HostHeader, Journal, Limits, Scheme, Settings, StateStore, Timeouts, Tls, Upstream,
    UpstreamUrl,
};

/// A whole rules file, valid.
#[derive(Clone, Debug)]
pub struct Config {
    /// Everything outside `[[rule]]`.
    pub settings: Settings,
    /// The rules, in file order.
    pub rules: Vec<Rule>,
}
