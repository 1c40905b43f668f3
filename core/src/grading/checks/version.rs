//! R2 and R3: after a version conflict, reading again and writing with the newest version.

use smol_str::SmolStr;

use super::Tally;
use super::{
    AMBIGUOUS, CheckDefinition, CheckResult, Class, EvidenceSample, Marks, Measure, NeededTries, Products,
    WHICH_READ, id, of,
};
use crate::grading::view::{Next, Retry, View, bare, is_one, is_same};
use crate::model::{Kind, ShownVersions};

pub(super) const REFETCH: CheckDefinition = CheckDefinition {
    id: id(2),
    anchor: "r2-refetch",
    why: "After a version conflict, only a new read says what changed; writing again without one loses that change or is refused again.",
    tries: NeededTries::Every,
    products: Products::Any,
    judge: refetch,
};

pub(super) const NEWEST: CheckDefinition = CheckDefinition {
    id: id(3),
    anchor: "r3-newest-version",
    why: "A write must name the version that it was made from; an older one is refused again, and none at all overwrites blindly.",
    tries: NeededTries::Every,
    products: Products::Any,
    judge: newest,
};

/// Rewrites after version conflicts.
#[derive(Clone, Debug, Default)]
pub struct RewriteVersions {
    /// R2: read again before.
    pub not_reread: Marks,
    /// R3: carries the newest version that the client was shown.
    pub not_newest: Marks,
    /// Of those not newest: at least another than the refused one.
    older: u64,
    /// `new_version`: carries another version than the refused one.
    pub not_new: Marks,
    /// Rewrites before which the client may have read by a request that nothing calls a reading.
    possibly_read: u64,
    /// Where a version was sent and none was ever shown; of several places the first by name.
    unseen: Option<SmolStr>,
    ambiguous: u64,
}

/// Places that no rule needs to name.
const ETAG: &str = "etag";
const DATE: &str = "last-modified";

/// The version that a rewrite carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Carried {
    Newest,
    /// Not the refused one, but not the newest that was shown either.
    Older,
    /// The refused one although a newer was shown, or nothing was read; none at all; or `*`.
    Bad,
    Unknown,
}

impl Measure for RewriteVersions {
    fn see(&mut self, view: &View<'_>) {
        let id = view.operation.id;
        if view.is_ambiguous {
            let tried = |next| matches!(next, Next::Tried(_));
            let of_version = view.steps.iter().filter(|step| step.kind == Some(Kind::Version));
            self.ambiguous += of_version.filter(|step| tried(step.next)).count() as u64;
        }
        for retry in
            view.retries().filter(|retry| retry.kind() == Some(Kind::Version) && retry.after().is_write())
        {
            self.not_reread.add(has_reread(&retry), id);
            let (before, after) = (&retry.before().sent, &retry.after().sent);
            self.possibly_read += u64::from(retry.step.may_have_read);
            if before.version.is_none() {
                continue;
            }
            let carried = Carried::of(&retry);
            self.older += u64::from(carried == Carried::Older);
            if let (Carried::Unknown, Some(sent)) = (carried, &after.version) {
                let place = SmolStr::from(sent.place().as_str());
                self.unseen = Some(self.unseen.take().map_or(place.clone(), |known| known.min(place)));
            }
            self.not_newest.add(
                match carried {
                    Carried::Newest => Some(true),
                    Carried::Older | Carried::Bad => Some(false),
                    Carried::Unknown => None,
                },
                id,
            );
            let same = match (&before.version, &after.version) {
                (Some(before), Some(after)) => is_one(before, after),
                (before, after) => before.is_none() && after.is_none(),
            };
            self.not_new.add(
                match carried {
                    // The read showed the refused version again: there is no other to send.
                    Carried::Newest | Carried::Unknown if same => None,
                    Carried::Bad => Some(false),
                    Carried::Newest | Carried::Older | Carried::Unknown => Some(true),
                },
                id,
            );
        }
    }

    fn samples(&self) -> impl Iterator<Item = &EvidenceSample> {
        [&self.not_reread.evidence, &self.not_newest.evidence, &self.not_new.evidence].into_iter()
    }
}

/// Whether the client knew the state it wrote over; `None` where it may have known from elsewhere.
fn has_reread(retry: &Retry<'_>) -> Option<bool> {
    let (before, after) = (retry.before(), retry.after());
    if retry.has_reread() {
        return Some(true);
    }
    let is_blind = match (&before.sent.version, &after.sent.version) {
        // The refusal showed the new version itself.
        (_, Some(sent)) if before.got.shown.at(sent.place()).is_some_and(|shown| is_same(shown, sent)) => {
            return Some(true);
        }
        (Some(refused), Some(sent)) if is_one(refused, sent) => true,
        (_, Some(sent)) if bare(sent) != "*" => false,
        _ => retry.is_same_body() == Some(true) && retry.is_same_request(),
    };
    (is_blind && !retry.step.may_have_read).then_some(false)
}

impl Carried {
    /// Judges by the versions that were shown at the place of the one that was sent: a version
    /// elsewhere says nothing of it.
    fn of(retry: &Retry<'_>) -> Carried {
        let (before, after) = (retry.before(), retry.after());
        if before.method != after.method {
            return Carried::Unknown;
        }
        let Some(sent) = &after.sent.version else {
            // It may be in a body that was too long to look at.
            let is_hidden = after.sent.body.is_none() && after.sent.bytes > 0;
            return if is_hidden { Carried::Unknown } else { Carried::Bad };
        };
        if bare(sent) == "*" {
            return Carried::Bad;
        }
        let is_it = |shown: &ShownVersions| shown.at(sent.place()).map(|shown| is_same(shown, sent));
        let reads = retry.reads().map(|read| &read.shown);
        let shown: Vec<bool> = std::iter::once(&before.got.shown).chain(reads).filter_map(is_it).collect();
        if retry.step.may_have_read && shown.last() != Some(&true) {
            // An uncertain read is good enough for the client, and too little against it.
            let is_shown = retry.next.reads.iter().any(|read| is_it(&read.shown) == Some(true));
            return if is_shown { Carried::Newest } else { Carried::Unknown };
        }
        let is_refused = before.sent.version.as_ref().is_some_and(|refused| is_one(refused, sent));
        match shown.last() {
            Some(true) => Carried::Newest,
            Some(false) if is_refused => Carried::Bad,
            Some(false) if shown.contains(&true) => Carried::Older,
            None if is_refused && !retry.has_reread() => Carried::Bad,
            _ => Carried::Unknown,
        }
    }
}

/// R2: 100 % pass, from 80 % a warning.
pub(super) fn refetch(tally: &Tally, class: &Class) -> Option<CheckResult> {
    let marks = &tally.versions.not_reread;
    if marks.judged == 0 {
        return unknown(tally, marks, tally.versions.settles_reads(class));
    }
    let share = 1.0 - marks.bad as f64 / marks.judged as f64;
    let advice = "read the resource after the refusal, apply the change to what you got, and write that";
    let judged = match marks.bad {
        0 => CheckResult::pass(format!("{} after a new read", of(marks.judged, marks.judged, "rewrite"))),
        bad if share >= 0.8 => {
            CheckResult::warn(format!("{} without reading again", of(bad, marks.judged, "rewrite")))
                .advice(advice)
        }
        bad => CheckResult::fail(format!("{} without reading again", of(bad, marks.judged, "rewrite")))
            .advice(advice),
    };
    Some(judged.number(share, 1.0, "share").shown_by(&marks.evidence))
}

/// R3: the newest passes, another than the refused one is a warning.
pub(super) fn newest(tally: &Tally, class: &Class) -> Option<CheckResult> {
    let versions = &tally.versions;
    let marks = &versions.not_newest;
    if marks.judged == 0 {
        return unknown(tally, marks, versions.settles_versions(class));
    }
    let share = 1.0 - marks.bad as f64 / marks.judged as f64;
    let judged = if marks.bad == 0 {
        CheckResult::pass(format!("{} with the newest version", of(marks.judged, marks.judged, "rewrite")))
    } else if marks.bad == versions.older {
        let measured =
            format!("{} with a version older than the newest read", of(marks.bad, marks.judged, "rewrite"));
        CheckResult::warn(measured)
            .advice("send the version of the last answer you read, not of an earlier one")
    } else {
        let measured = format!(
            "{} with the refused version, or none",
            of(marks.bad - versions.older, marks.judged, "rewrite")
        );
        CheckResult::fail(measured).advice(format!(
            "send the version that came with the state you changed: {} of the new read",
            if class.version_places.is_empty() {
                "the ETag".to_owned()
            } else {
                format!("what the rule's `version` names ({})", class.version_places.join(", "))
            }
        ))
    };
    Some(judged.number(share, 1.0, "share").shown_by(&marks.evidence))
}

fn unknown(tally: &Tally, marks: &Marks, settle: String) -> Option<CheckResult> {
    let (unknown, ambiguous) = (marks.unknown, tally.versions.ambiguous);
    if unknown + ambiguous == 0 {
        return None;
    }
    let measured = format!("{} cannot be judged", of(unknown + ambiguous, unknown + ambiguous, "rewrite"));
    let settle = if unknown == 0 { AMBIGUOUS.to_owned() } else { settle };
    Some(CheckResult::undetermined(measured, settle))
}

impl RewriteVersions {
    /// The evidence that would tell whether clients read again.
    fn settles_reads(&self, class: &Class) -> String {
        if self.possibly_read > 0 && !class.names_reads {
            return WHICH_READ.to_owned();
        }
        let version = if self.has_versions() {
            ""
        } else {
            ", and a version in `If-Match` or in the rule's `version`,"
        };
        format!("reads of the resource through this proxy{version} would show it")
    }

    /// The evidence that would tell which version was the newest: never one that the rules give already.
    fn settles_versions(&self, class: &Class) -> String {
        if self.possibly_read > 0 && !class.names_reads {
            return WHICH_READ.to_owned();
        }
        let Some(place) = &self.unseen else { return self.settles_reads(class) };
        let is_named = class.version_places.iter().any(|named| **named == **place);
        match &**place {
            ETAG => "reads of the resource through this proxy that are answered with an `ETag` would show it".to_owned(),
            DATE => {
                "reads of the resource through this proxy that are answered with `Last-Modified` would show it".to_owned()
            }
            place if is_named => format!(
                "no answer showed a version at `{place}`: reads of the resource through this proxy would, answered \
                 with JSON of up to `body_limit`; or say where answers have it: `version = {{ request = \
                 \"{place}\", response = … }}`"
            ),
            place => format!(
                "requests carry their version at `{place}`, and nothing says where answers show it: \
                 `version = \"{place}\"` in the rule would"
            ),
        }
    }

    fn has_versions(&self) -> bool {
        self.unseen.is_some() || self.not_newest.judged > 0
    }
}
