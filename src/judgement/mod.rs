//! Floor 2: judging requests. Pure: time, chance and state are arguments.

mod ruleset;
mod trigger;

pub use ruleset::{ActiveRule, Concern, RuleSet, Unconcerned};
pub use stub::{CompiledReply, Occasion, TemplateMistake, allow_cors};
pub use trigger::{Answer, Ask};

mod reply {
    pub use super::stub::*;
}
mod stub {
    use crate::words::*;
    #[derive(Debug)]
    pub struct TemplateMistake;
    pub struct CompiledReply;
    pub struct Occasion<'a> {
        pub facts: &'a Facts<'a>,
        pub captures: &'a Captures<'a>,
        pub n: u64,
        pub key: KeyHash,
        pub key_text: &'a dyn Fn() -> Option<String>,
        pub now: std::time::SystemTime,
        pub dice: Dice,
    }
    impl CompiledReply {
        pub fn new(_: &crate::rules::Rule) -> Result<Self, Vec<TemplateMistake>> {
            Ok(Self)
        }
        pub fn render(&self, _: &Occasion, _mark: bool) -> http::Response<bytes::Bytes> {
            http::Response::builder().status(409).body("x".into()).unwrap_or_default()
        }
    }
    pub fn allow_cors(_: &mut http::HeaderMap, _: &http::HeaderValue) {}
}
