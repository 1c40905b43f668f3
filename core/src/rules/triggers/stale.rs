//! `on = "stale"`: writes that are based on an old version.

use super::State;
use super::state::{StateDefinition, as_long_as_it_conflicts, per_path};
use crate::model::Kind;
use crate::rules::keys::entry::{Fallback, KeyEntry, companion};
use crate::rules::keys::value::ERROR_STATUS;

pub(super) const TRIGGER: StateDefinition = StateDefinition {
    word: "stale",
    title: "the version that it carries is not the newest seen; with `missing`, also when it carries none",
    kind: Kind::Version,
    learned_from: "strong `ETag`s and `Last-Modified` dates, or the field named by `version`, in 2xx responses to requests \
                   whose host and path fit the rule, whatever their method; of a POST that created a resource, the \
                   response that names it in `Location`",
    ended_by: "a newer version. After a write whose response tells no version, the newest is unknown, and no request \
               conflicts until the next response that tells one",
    notes: "\
`stale` compares strongly (RFC 9110 §8.8.3.2), and leaves alone values that it cannot place: `If-Match: *`,
`If-None-Match`, a request without a version unless `missing` is given, and everything while no
version is known. Weak tags, partial responses and reads of a selection (`?fields=…`, `?rev=…`) teach it
nothing.
",
    example: "on = \"stale\"",
    per: per_path,
    keys: &[MISSING],
    needs: None,
    state: |given| State::Stale { missing: given.missing },
    never_held: "each request carried the newest version seen, or none",
    conflicts: "once a newer version than the request's was seen",
    lasts: as_long_as_it_conflicts,
};

pub(super) const MISSING: KeyEntry = companion(
    "missing",
    ERROR_STATUS,
    Fallback::Words("such a request passes"),
    "the status for a request without a version.",
    "on = \"stale\"\nmissing = 428",
);
