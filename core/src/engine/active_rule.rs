//! One rule of a running proxy, compiled: the requests that it is about, its draws and its replies.

use std::sync::Arc;

use http::Method;

use super::counters::RuleCounters;
use super::decision::Conflict;
use super::fault::FaultSource;
use super::operation::{Keyspace, Reply, StateKey, StateScope};
use crate::content_coding::UndecodableBody;
use crate::matching::Mismatch;
use crate::model::{BodyFacts, Captures, ClientIdSources, Dice, Facts, KeyHash, Moment, RuleId};
use crate::reply::CompiledReply;
use crate::rules::template::TemplateMistake;
use crate::rules::{Clear, Replies, ReplyChoice, Rule, RulePhase, State, Trigger, VersionAt};

/// A rule, ready to judge requests and to refuse them.
pub struct ActiveRule {
    pub rule: Rule,
    reply: CompiledReply,
    /// Those of `replies`; `None` passes.
    replies: Box<[Option<CompiledReply>]>,
    pub dice: Dice,
    /// For the choice among `replies`: independent of the draws that decide whether there is a conflict.
    reply_dice: Dice,
    /// With `pass` only.
    pub(super) fault: Option<Box<FaultSource>>,
    /// Its counts so far.
    pub counters: Arc<RuleCounters>,
    /// Owner of its state.
    scope: StateScope,
    /// Whether it cannot be decided without the request's body.
    judges_body: bool,
    /// Whether a reply shows the resource's newest representation.
    shows_current: bool,
}

impl ActiveRule {
    /// Compiles a rule; `seed` decides its draws, and `mark` whether its responses carry the `Fracas` header.
    pub fn new(rule: Rule, seed: u64, mark: bool) -> Result<ActiveRule, Vec<TemplateMistake>> {
        let choices = rule.replies.as_ref().map(Replies::choices).unwrap_or_default();
        let compiled = choices.iter().map(|choice| {
            let settings = match choice {
                ReplyChoice::Pass => return Ok(None),
                ReplyChoice::Respond(settings) => settings,
                ReplyChoice::Withhold => &rule.reply,
            };
            let alone = Rule { reply: settings.clone(), replies: None, ..rule.clone() };
            CompiledReply::new(&alone, mark).map(Some)
        });
        Ok(ActiveRule {
            reply: CompiledReply::new(&rule, mark)?,
            replies: compiled.collect::<Result<_, _>>()?,
            // No rule has a name with a space.
            reply_dice: Dice::new(seed, &format!("{} replies", rule.name)),
            dice: Dice::new(seed, &rule.name),
            fault: FaultSource::new(&rule, seed, mark),
            counters: Arc::default(),
            scope: rule.scope(),
            judges_body: rule.reads_body(),
            shows_current: rule.shows_current(),
            rule,
        })
    }

    /// Id of the rule.
    pub fn id(&self) -> RuleId {
        RuleId(Arc::clone(&self.rule.name))
    }

    /// Key of an entry of its state.
    pub fn key(&self, keyspace: Keyspace, key: KeyHash) -> StateKey {
        StateKey::new(self.scope, keyspace, key)
    }

    /// Owner of its state.
    pub fn scope(&self) -> StateScope {
        self.scope
    }

    /// Whether the rule takes part at `now`.
    pub fn is_awake(&self, now: Moment) -> bool {
        self.rule.enabled && self.rule.during.is_none_or(|during| during.is_awake(now))
    }

    /// Whether it cannot be decided without the request's body.
    pub fn judges_body(&self) -> bool {
        self.judges_body
    }

    /// Whether this request's body is needed: to decide, or for its values.
    pub fn reads_body(&self, facts: &Facts<'_>) -> bool {
        self.judges_body
            || self.reply.reads_body(facts)
            || self.replies.iter().flatten().any(|reply| reply.reads_body(facts))
    }

    /// The response at this position of `replies`; without one, the only response.
    pub fn reply_at(&self, choice: Option<usize>) -> &CompiledReply {
        choice.and_then(|choice| self.replies.get(choice)?.as_ref()).unwrap_or(&self.reply)
    }

    /// The position of the reply to a conflict, the key's `turn`-th; `None` without `replies`.
    pub fn choose(&self, turn: u64, conflict: &Conflict) -> Option<usize> {
        let replies = self.rule.replies.as_ref()?;
        // Tries under an open conflict share their `n`.
        let key = KeyHash(conflict.key.0 ^ u128::from(conflict.tries.saturating_sub(1)));
        Some(replies.choose(turn, || self.reply_dice.fraction(key, conflict.n)))
    }

    /// Whether a reply shows the resource's newest representation.
    pub fn shows_current(&self) -> bool {
        self.shows_current
    }

    /// Key of the newest representation of the resource at `path`.
    pub fn shown_at(&self, path: &str) -> StateKey {
        self.key(Keyspace::Shown, KeyHash::of([path.as_bytes()]))
    }

    /// Whether the reply at this position leaves the request alone.
    pub fn passes(&self, choice: Option<usize>) -> bool {
        choice.is_some_and(|choice| self.replies.get(choice).is_some_and(Option::is_none))
    }

    /// The captures and the key of a request that the rule is about, or the reason why it leaves the request alone.
    pub fn concern<'r>(
        &'r self,
        facts: &'r Facts<'_>,
        identity: &ClientIdSources,
    ) -> Result<Concern<'r>, Unconcerned<'r>> {
        let captures = self.rule.requests.check(facts).map_err(Unconcerned::Mismatch)?;
        let release = self.rule.trigger.state().and_then(State::release);
        if release.is_some_and(|release| release.requests.check(facts).is_ok()) {
            return Err(Unconcerned::Release);
        }
        let is_reading = self.rule.read.as_ref().is_some_and(|read| read.requests.check(facts).is_ok());
        if is_reading || self.rule.is_cleared_by(facts.method) {
            return Err(Unconcerned::Reading);
        }
        if self.rule.state_reads_body() {
            match facts.body {
                BodyFacts::TooLong => return Err(Unconcerned::LongBody),
                BodyFacts::Undecodable { why, .. } => return Err(Unconcerned::Undecodable(why)),
                BodyFacts::Unread | BodyFacts::Read { .. } => {}
            }
        }
        let key = self.rule.per.hash(facts, &captures, identity).ok_or(Unconcerned::NoKey)?;
        Ok(Concern { captures, key })
    }

    /// Which places were empty, where the rule has matched requests and never learned a version.
    pub fn unlearned(&self) -> Option<String> {
        let RuleCounters { versions, .. } = &*self.counters;
        let never = self.counters.matched() > 0 && !versions.are_shown();
        if never { versions.empty_places(&self.rule) } else { None }
    }

    /// Whether a request that was counted conflicts; `limit` is not looked at.
    pub fn judge(&self, counted: &Reply, key: KeyHash) -> bool {
        self.rule.trigger.judge(counted, self.dice, key)
    }
}

impl Rule {
    /// Which conflict of its key the key's `n`-th request is, from 1; `None` where the store has to count. Replies that
    /// are drawn take no turns.
    pub(super) fn turn_of(&self, n: u64) -> Option<u64> {
        if self.replies.as_ref().is_some_and(Replies::are_drawn) {
            return Some(0);
        }
        let counted = self.trigger.counted()?;
        // The upstream's refusals are no conflicts, and take no turn.
        let is_by_upstream = counted.phase != RulePhase::Before && self.upstream_response.is_none();
        if counted.clear.is_some() || is_by_upstream { None } else { counted.schedule.conflicts_up_to(n) }
    }

    /// Owner of the rule's state. Its meaning is all that decides which requests it counts and which facts it keeps;
    /// its reply and its expectations are not. `replies` are: they take turns that are counted, and may pass.
    fn scope(&self) -> StateScope {
        let Rule { requests, trigger, per, version, read, during, limit, enabled, .. } = self;
        let mut meaning = format!("{:?}", (requests, trigger, per, version, read, during, limit, enabled));
        if let Some(response) = &self.upstream_response {
            meaning.push_str(&format!("{response:?}"));
        }
        if let Some(replies) = &self.replies {
            meaning.push_str(&format!("{replies:?}"));
        }
        StateScope::new(&self.name, &meaning)
    }

    /// Whether a request of this method, should it succeed, clears the conflicts that are open.
    pub fn is_cleared_by(&self, method: &Method) -> bool {
        let is_by_reading = matches!(self.clear(), Some(Clear::Refetch | Clear::NewVersion));
        is_by_reading && matches!(*method, Method::GET | Method::HEAD)
    }

    /// Whether it cannot be decided without the request's body.
    fn reads_body(&self) -> bool {
        // A version may be in the body, and it says whether a conflict is over.
        let is_by_version = self.clear() == Some(Clear::NewVersion);
        let is_by_reading = self.read.as_ref().is_some_and(|read| read.requests.reads_body());
        self.requests.reads_body()
            || self.per.reads_body()
            || is_by_version
            || is_by_reading
            || self.state_reads_body()
    }

    /// Whether its state cannot judge a request without the body.
    fn state_reads_body(&self) -> bool {
        match &self.trigger {
            Trigger::On(state) => match &**state {
                State::Stale { .. } => self.version_at().is_some_and(VersionAt::reads_request_body),
                State::KeyInUse { .. } => true,
                _ => false,
            },
            Trigger::Counted(_) => false,
        }
    }
}

/// A request that a rule is about.
pub struct Concern<'r> {
    pub captures: Captures<'r>,
    pub key: KeyHash,
}

impl Unconcerned<'_> {
    /// The missing part of a request that had the rule's method and path; see [`Mismatch::near_miss`].
    pub fn near_miss(&self) -> Option<String> {
        Some(match self {
            Unconcerned::Mismatch(mismatch) => return mismatch.near_miss(),
            Unconcerned::Release => "it is the request that `release` names".to_owned(),
            Unconcerned::Reading => "it reads the resource, which ends the conflict (`clear`)".to_owned(),
            Unconcerned::Undecodable(why) => format!("the {why}"),
            Unconcerned::LongBody => "the body is longer than body_limit".to_owned(),
            Unconcerned::NoKey => "the request lacks what `per` names".to_owned(),
        })
    }
}

/// Reason why a rule leaves a request alone.
pub enum Unconcerned<'r> {
    /// The request does not match.
    Mismatch(Mismatch<'r>),
    /// The request ends an entry of the rule's state.
    Release,
    /// The request reads the resource: the rule's `read` says so, or it clears the rule's conflicts, which it
    /// could never do if it were refused.
    Reading,
    /// The state is in the request's body, which is longer than `body_limit`.
    LongBody,
    /// The state is in the request's body, which cannot be decoded.
    Undecodable(UndecodableBody),
    /// The request lacks a part of the rule's `per`.
    NoKey,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{BodyFileError, read};

    fn scope(keys: &str) -> StateScope {
        let text = format!("[[rule]]\n{keys}");
        let read = read("rules.toml", &text, &|_| Err(BodyFileError::Missing));
        let rules = read.unwrap_or_else(|_| panic!("valid rules: {text}")).config.rules;
        rules.first().expect("a rule").scope()
    }

    #[test]
    fn a_rule_owns_its_state_by_its_name_and_its_meaning() {
        let rule = "name = \"r\"\nmethod = \"PUT\"\npath = \"/items/{id}\"\n";
        for meaning in ["first = 2\n", "clear = 2\n", "on = \"overlap\"\n", "phase = \"after\"\n", ""] {
            let rule = format!("{rule}{meaning}");
            let own = scope(&rule);
            assert_eq!(scope(&rule), own, "it is the same when it is read again: {rule}");
            for other in ["reply = { status = 504, retry_after = \"1s\" }", "expect = { max_tries = 2 }"] {
                assert_eq!(scope(&format!("{rule}{other}")), own, "{rule}{other}");
            }
            for (key, other) in [
                ("name = \"r\"", "name = \"s\""),
                ("method = \"PUT\"", "method = [\"PUT\", \"POST\"]"),
                ("path = \"/items/{id}\"", "path = \"/items/*\""),
                ("path = \"/items/{id}\"", "path_regex = '/items/[a-z]'"),
            ] {
                let changed = rule.replace(key, other);
                assert!(changed != rule && scope(&changed) != own, "{changed}");
            }
            for more in [
                "limit = 3",
                "enabled = false",
                "during = { after = \"1s\" }",
                "host = \"a.example\"",
                "header = { x-a = \"1\" }",
                "query = { a = \"1\" }",
                "body = { \"/a\" = 1 }",
                "per = \"header:x-a\"",
                "read = { method = \"POST\", path = \"/search\" }",
                "replies = [{ status = 503 }, { pass = true }]",
            ] {
                let changed = format!("{rule}{more}");
                assert_ne!(scope(&changed), own, "{changed}");
            }
        }
        let rule = format!("{rule}per = \"path\"\n");
        let scopes = [
            "on = \"overlap\"",
            "on = \"overlap\"\nhold = \"1s\"",
            "on = \"locked\"\nlease = \"1s\"",
            "on = \"locked\"\nlease = \"2s\"",
            "on = \"stale\"",
            "on = \"stale\"\nversion = \"header:x-version\"",
            "on = \"key_in_use\"",
            "on = \"key_in_use\"\nmismatch = 400",
            "first = 2",
            "first = 3",
            "every = 3",
            "rate = 0.5",
            "first = 3\nphase = \"after\"",
            "first = 3\nphase = \"after\"\nupstream_response = { status = 201 }",
            "first = 3\nclear = 2",
            "first = 3\nclear = \"2s\"",
            "first = 3\nreplies = [{ status = 503 }, { pass = true }]",
            "first = 3\nreplies = [{ status = 503 }, { status = 504 }]",
        ];
        let scopes: Vec<_> = scopes.iter().map(|keys| scope(&format!("{rule}{keys}"))).collect();
        for (at, scope) in scopes.iter().enumerate() {
            assert_eq!(scopes.iter().position(|other| other == scope), Some(at));
        }
    }
}
