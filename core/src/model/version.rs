//! Versions of resources in requests and responses, and their places.
//!
//! Versions are comparable only at the same place: an `ETag` cannot be compared with a number in
//! a body. Most versions are entity tags, stored inline; the others are boxed.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::Fingerprint;

/// The place of a version. Requests and responses often have two names for one place, such as `If-Match` and
/// `ETag`: the place has the name in requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum VersionPlace {
    /// `If-Match` and `ETag`.
    #[default]
    Tag,
    /// `If-Unmodified-Since` and `Last-Modified`.
    Date,
    /// A field, as rules write it: `body:/rev`.
    Field(SmolStr),
}

/// The version that a request is based on. It reads as its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "WrittenVersion", into = "WrittenVersion")]
pub struct Version(At);

#[derive(Clone, Debug, PartialEq, Eq)]
enum At {
    Tag(SmolStr),
    Elsewhere(Box<(VersionPlace, SmolStr)>),
}

/// The versions in a response, each at its own place, and the rules for which the request was a reading.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "WrittenShown", into = "WrittenShown")]
pub struct ShownVersions(Seen);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Seen {
    #[default]
    Nothing,
    Tag(SmolStr),
    More(Box<More>),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct More {
    tag: Option<SmolStr>,
    elsewhere: Vec<Version>,
    readings: Vec<RuleReading>,
}

/// A request that a rule's `read` counts as a reading of the rule's resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleReading {
    pub rule: SmolStr,
    /// The rule's key, hashed, as conflicts carry it; absent for a request that does not name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Fingerprint>,
}

impl Version {
    /// An entity tag, or another version at its place.
    pub fn new(place: VersionPlace, text: impl Into<SmolStr>) -> Version {
        Version(match place {
            VersionPlace::Tag => At::Tag(text.into()),
            place => At::Elsewhere(Box::new((place, text.into()))),
        })
    }

    pub fn place(&self) -> &VersionPlace {
        match &self.0 {
            At::Tag(_) => &VersionPlace::Tag,
            At::Elsewhere(version) => &version.0,
        }
    }
}

impl std::ops::Deref for Version {
    type Target = str;

    fn deref(&self) -> &str {
        match &self.0 {
            At::Tag(text) => text,
            At::Elsewhere(version) => &version.1,
        }
    }
}

/// An entity tag.
impl From<&str> for Version {
    fn from(tag: &str) -> Version {
        Version(At::Tag(tag.into()))
    }
}

/// An entity tag.
impl From<String> for Version {
    fn from(tag: String) -> Version {
        Version(At::Tag(tag.into()))
    }
}

impl ShownVersions {
    /// Maximum number of versions kept of one response, and of readings.
    pub const MOST: usize = 8;

    /// Whether no version was shown, and no rule calls it a reading.
    pub fn is_nothing(&self) -> bool {
        matches!(self.0, Seen::Nothing)
    }

    /// The entity tag.
    pub fn tag(&self) -> Option<&str> {
        match &self.0 {
            Seen::Nothing => None,
            Seen::Tag(tag) => Some(tag),
            Seen::More(more) => more.tag.as_deref(),
        }
    }

    /// The version at a place.
    pub fn at(&self, place: &VersionPlace) -> Option<&str> {
        match (place, &self.0) {
            (VersionPlace::Tag, _) => self.tag(),
            (_, Seen::More(more)) => {
                more.elsewhere.iter().find(|version| version.place() == place).map(|version| &**version)
            }
            _ => None,
        }
    }

    /// Any version, the tag first.
    pub fn any(&self) -> Option<&str> {
        self.tag().or_else(|| self.more().and_then(|more| more.elsewhere.first().map(|version| &**version)))
    }

    /// Takes the versions out; the readings stay.
    pub fn take_versions(&mut self) -> ShownVersions {
        let readings = self.readings().to_vec();
        let taken = std::mem::take(self);
        readings.iter().for_each(|reading| self.read_for(reading.clone()));
        match taken.0 {
            Seen::More(more) => ShownVersions(Seen::More(Box::new(More { readings: Vec::new(), ..*more }))),
            seen => ShownVersions(seen),
        }
    }

    /// The rules for which the request was a reading.
    pub fn readings(&self) -> &[RuleReading] {
        self.more().map_or(&[], |more| &more.readings)
    }

    /// Adds a version of the response; the first at a place stays.
    pub fn show(&mut self, version: Version) {
        if self.at(version.place()).is_some() {
            return;
        }
        match version.0 {
            At::Tag(tag) if self.is_nothing() => self.0 = Seen::Tag(tag),
            At::Tag(tag) => self.add(|more| more.tag = Some(tag)),
            At::Elsewhere(_) => self.add(|more| {
                if more.elsewhere.len() < ShownVersions::MOST {
                    more.elsewhere.push(version);
                }
            }),
        }
    }

    /// Adds a reading.
    pub fn read_for(&mut self, reading: RuleReading) {
        self.add(|more| {
            if more.readings.len() < ShownVersions::MOST {
                more.readings.push(reading);
            }
        });
    }

    fn more(&self) -> Option<&More> {
        match &self.0 {
            Seen::More(more) => Some(more),
            Seen::Nothing | Seen::Tag(_) => None,
        }
    }

    fn add(&mut self, add: impl FnOnce(&mut More)) {
        let mut more = match std::mem::take(&mut self.0) {
            Seen::Nothing => Box::default(),
            Seen::Tag(tag) => Box::new(More { tag: Some(tag), ..More::default() }),
            Seen::More(more) => more,
        };
        add(&mut more);
        self.0 = Seen::More(more);
    }
}

/// An entity tag alone.
impl From<&str> for ShownVersions {
    fn from(tag: &str) -> ShownVersions {
        ShownVersions(Seen::Tag(tag.into()))
    }
}

/// Form in a journal: a tag is a text, and any other version names its place.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum WrittenVersion {
    Tag(SmolStr),
    Elsewhere(WrittenPlace),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenPlace {
    at: SmolStr,
    version: SmolStr,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum WrittenShown {
    Tag(SmolStr),
    More(WrittenMore),
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenMore {
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<SmolStr>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    elsewhere: Vec<Version>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    read_for: Vec<RuleReading>,
}

/// The word for [`VersionPlace::Date`].
const DATE: &str = "last-modified";

impl VersionPlace {
    /// Form in a journal and in reports.
    pub fn as_str(&self) -> &str {
        match self {
            VersionPlace::Tag => "etag",
            VersionPlace::Date => DATE,
            VersionPlace::Field(field) => field,
        }
    }
}

impl From<WrittenVersion> for Version {
    fn from(written: WrittenVersion) -> Version {
        match written {
            WrittenVersion::Tag(tag) => Version(At::Tag(tag)),
            WrittenVersion::Elsewhere(WrittenPlace { at, version }) if at == DATE => {
                Version::new(VersionPlace::Date, version)
            }
            WrittenVersion::Elsewhere(WrittenPlace { at, version }) => {
                Version::new(VersionPlace::Field(at), version)
            }
        }
    }
}

impl From<Version> for WrittenVersion {
    fn from(version: Version) -> WrittenVersion {
        match version.0 {
            At::Tag(tag) => WrittenVersion::Tag(tag),
            At::Elsewhere(version) => {
                let (place, version) = *version;
                WrittenVersion::Elsewhere(WrittenPlace { at: place.as_str().into(), version })
            }
        }
    }
}

impl From<WrittenShown> for ShownVersions {
    fn from(written: WrittenShown) -> ShownVersions {
        match written {
            WrittenShown::Tag(tag) => ShownVersions(Seen::Tag(tag)),
            WrittenShown::More(WrittenMore { tag, mut elsewhere, read_for: mut readings }) => {
                elsewhere.truncate(ShownVersions::MOST);
                readings.truncate(ShownVersions::MOST);
                ShownVersions(Seen::More(Box::new(More { tag, elsewhere, readings })))
            }
        }
    }
}

impl From<ShownVersions> for WrittenShown {
    fn from(shown: ShownVersions) -> WrittenShown {
        match shown.0 {
            Seen::Nothing => WrittenShown::More(WrittenMore::default()),
            Seen::Tag(tag) => WrittenShown::Tag(tag),
            Seen::More(more) => {
                let More { tag, elsewhere, readings: read_for } = *more;
                WrittenShown::More(WrittenMore { tag, elsewhere, read_for })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_at_two_places_do_not_meet() {
        let field = |name: &str| VersionPlace::Field(name.into());
        let mut shown = ShownVersions::default();
        assert!(shown.is_nothing() && shown.any().is_none());
        shown.show(Version::from("\"a\""));
        shown.show(Version::new(field("body:/version"), "4"));
        shown.show(Version::new(field("body:/version"), "5"));
        shown.show(Version::new(VersionPlace::Date, "Sun, 06 Nov 1994 08:49:37 GMT"));
        assert_eq!((shown.tag(), shown.any()), (Some("\"a\""), Some("\"a\"")));
        assert_eq!(shown.at(&field("body:/version")), Some("4"), "the first at a place");
        assert_eq!(shown.at(&field("body:/sha")), None);
        assert_eq!(shown.at(&VersionPlace::Date), Some("Sun, 06 Nov 1994 08:49:37 GMT"));
    }

    #[test]
    fn a_journal_has_tags_as_texts_and_other_versions_with_their_places() {
        let mut shown = ShownVersions::from("\"a\"");
        assert_eq!(serde_json::to_string(&shown).expect("a line"), r#""\"a\"""#);
        shown.show(Version::new(VersionPlace::Field("query:rev".into()), "1-a"));
        shown.read_for(RuleReading { rule: "r".into(), key: None });
        let line = serde_json::to_string(&shown).expect("a line");
        assert_eq!(
            line,
            r#"{"tag":"\"a\"","elsewhere":[{"at":"query:rev","version":"1-a"}],"read_for":[{"rule":"r"}]}"#
        );
        assert_eq!(serde_json::from_str::<ShownVersions>(&line).expect("a line"), shown);
        let date = Version::new(VersionPlace::Date, "Sun, 06 Nov 1994 08:49:37 GMT");
        let line = serde_json::to_string(&date).expect("a line");
        assert_eq!(serde_json::from_str::<Version>(&line).expect("a line"), date);
    }

    #[test]
    fn neither_takes_more_room_than_a_tag() {
        assert_eq!(size_of::<Option<Version>>(), size_of::<SmolStr>());
        assert_eq!(size_of::<ShownVersions>(), size_of::<SmolStr>());
    }
}
