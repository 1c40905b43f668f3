//! Places of versions, by rule, in a request and in its response.

use http::HeaderMap;
use memchr::memmem;
use smallvec::SmallVec;
use smol_str::SmolStr;

use super::sent::text;
use crate::engine::RuleSet;
use crate::matching::{Match, RuleIndex};
use crate::model::{Facts, Json, RunKey, ShownVersions, Version, VersionPlace};
use crate::rules::VersionAt;

/// The places that rules name, found by host and path.
pub struct NamedPlaces {
    places: Box<[NamedPlace]>,
    index: RuleIndex,
}

struct NamedPlace {
    /// A rule's host and path, or its `read` as far as heads go.
    requests: Match,
    at: VersionAt,
    /// Where its versions stand.
    place: VersionPlace,
}

/// Those that one request fits, in file order, and which of them its version was found at.
#[derive(Default)]
pub struct Fitting {
    /// Further places are ignored: each costs a look.
    places: SmallVec<[u32; 2]>,
    found: Option<usize>,
}

/// Places of one request, at most.
const MOST_PLACES: usize = 8;

impl NamedPlaces {
    pub fn new(rules: &RuleSet) -> NamedPlaces {
        let mut places: Vec<NamedPlace> = Vec::new();
        for rule in rules.iter().map(|active| &active.rule).filter(|rule| rule.enabled) {
            let Some(at) = rule.version_at() else { continue };
            let (path, host) = (rule.requests.path.clone(), rule.requests.host.clone());
            let mut requests = vec![Match { path, host, ..Match::default() }];
            // Like this, `Methods::Any` leaves out OPTIONS and CONNECT, which have no versions.
            requests.extend(rule.read.as_ref().map(|read| Match {
                body: Vec::new(),
                not: None,
                ..read.requests.clone()
            }));
            requests.dedup();
            let place = VersionPlace::Field(at.request.to_string().into());
            places.extend(requests.into_iter().map(|requests| NamedPlace {
                requests,
                at: at.clone(),
                place: place.clone(),
            }));
        }
        let index = RuleIndex::new(places.iter().map(|place| &place.requests));
        NamedPlaces { places: places.into(), index }
    }

    /// Whether no rule names one.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Those that a request fits.
    pub fn fitting(&self, facts: &Facts<'_>) -> Fitting {
        let mut fitting = Fitting::default();
        for at in self.index.candidates(facts) {
            let Some(place) = self.places.get(at as usize) else { continue };
            let is_new = self.of(&fitting).all(|(_, known)| known.at != place.at);
            if fitting.places.len() < MOST_PLACES && is_new && place.requests.check_head(facts).is_ok() {
                fitting.places.push(at);
            }
        }
        fitting
    }

    fn of<'p>(&'p self, fitting: &'p Fitting) -> impl Iterator<Item = (usize, &'p NamedPlace)> {
        let places = fitting.places.iter().enumerate();
        places.filter_map(|(rank, at)| Some((rank, self.places.get(*at as usize)?)))
    }

    /// The version that a request's head carries at one of them.
    pub fn in_head(&self, fitting: &mut Fitting, facts: &Facts<'_>, key: RunKey) -> Option<Version> {
        let (rank, version) = self.of(fitting).find_map(|(rank, place)| {
            Some((rank, place.version(text(place.at.in_request_head(facts)?.as_bytes(), key)?)))
        })?;
        fitting.found = Some(rank);
        Some(version)
    }

    /// The version in a request's body, at a place that takes precedence over the head's.
    pub fn in_body(&self, fitting: &mut Fitting, body: &Json, key: RunKey) -> Option<Version> {
        let before = fitting.found.unwrap_or(usize::MAX);
        let (rank, version) =
            self.of(fitting).take_while(|(rank, _)| *rank < before).find_map(|(rank, place)| {
                Some((rank, place.version(text(place.at.in_request_body(body)?.as_bytes(), key)?)))
            })?;
        fitting.found = Some(rank);
        Some(version)
    }

    /// Notes the versions in a response's head; returns whether its body may hold more.
    pub fn look_at_head(
        &self,
        fitting: &Fitting,
        headers: &HeaderMap,
        key: RunKey,
        shown: &mut ShownVersions,
    ) -> bool {
        let mut wants_body = false;
        for (_, place) in self.of(fitting) {
            match place.at.in_response_head(headers).and_then(|found| text(found.as_bytes(), key)) {
                Some(version) => shown.show(place.version(version)),
                None => wants_body |= place.at.reads_response_body(),
            }
        }
        wants_body
    }

    /// Notes the versions in a response's body.
    pub fn look_at_body(&self, fitting: &Fitting, body: &Json, key: RunKey, shown: &mut ShownVersions) {
        for (_, place) in self.of(fitting) {
            let found = place.at.in_response_body(body);
            if let Some(version) = found.and_then(|found| text(found.as_bytes(), key)) {
                shown.show(place.version(version));
            }
        }
    }
}

impl NamedPlace {
    fn version(&self, text: SmolStr) -> Version {
        Version::new(self.place.clone(), text)
    }
}

/// Whether `word` stands in a text, and not as a piece of another word.
pub fn is_word_of(word: &str, text: &[u8]) -> bool {
    let is_apart = |byte: Option<&u8>| byte.is_none_or(|byte| !byte.is_ascii_alphanumeric());
    let mut places = memmem::find_iter(text, word.as_bytes());
    !word.is_empty()
        && places.any(|at| {
            let before = at.checked_sub(1).and_then(|at| text.get(at));
            is_apart(before) && is_apart(text.get(at + word.len()))
        })
}
