//! Rewrites URLs of the upstream in a text that comes in pieces. Bytes that could begin a URL wait for the next piece;
//! no others wait.

use std::net::IpAddr;

use memchr::memmem;

use super::reference::Spoken;
use crate::rules::UpstreamUrl;

/// How a text may write the upstream's URLs, for all bodies of a worker.
pub struct Origin {
    /// Authority and base path, as they are and as JSON may escape them.
    written: Vec<Vec<u8>>,
    /// A part that all of them have in common; `None` without one.
    needle: Option<memmem::Finder<'static>>,
}

/// How the client knows the proxy.
pub struct Name {
    pub authority: Vec<u8>,
    pub spoken: Spoken,
}

/// Result of rewriting a piece.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Passed {
    /// Bytes for the client.
    pub out: Vec<u8>,
    /// Whether there was a URL of the upstream.
    pub has_found: bool,
}

/// Schemes of URLs that lead to an HTTP server, the longer first.
static SCHEMES: [&[u8]; 4] = [b"https", b"http", b"wss", b"ws"];
/// Slashes as they are, and as JSON may escape them.
static SLASHES: [&[u8]; 2] = [b"//", br"\/\/"];

/// Result of a search at one place.
enum Found {
    Nothing,
    /// It ends here.
    Url(usize),
    /// The text ends before this is certain.
    Unsure,
}

impl Origin {
    pub fn of(upstream: &UpstreamUrl) -> Origin {
        let authority = &upstream.authority;
        let has_default_port = authority.port == upstream.scheme.default_port();
        let address = authority.host.parse::<IpAddr>().ok();
        let mut hosts = vec![if address.is_some_and(|address| address.is_ipv6()) {
            format!("[{}]", authority.host)
        } else {
            authority.host.to_string()
        }];
        if address.is_some_and(|address| address.is_loopback())
            || authority.host.eq_ignore_ascii_case("localhost")
        {
            hosts.extend(["localhost", "127.0.0.1", "[::1]"].map(str::to_owned));
        }
        let needle = match has_default_port {
            false => Some(format!(":{}", authority.port)),
            // Names may be written in any case.
            true => hosts.first().filter(|_| address.is_some() && hosts.len() == 1).cloned(),
        };
        let with_port = hosts.iter().map(|host| format!("{host}:{}", authority.port));
        let bare = hosts.iter().filter(|_| has_default_port).cloned();
        let bases = [upstream.base_path.to_string(), upstream.base_path.replace('/', r"\/")];
        let written = with_port
            .chain(bare)
            .flat_map(|authority| bases.clone().map(|base| (authority.clone() + &base).into_bytes()));
        let mut written: Vec<Vec<u8>> = written.collect();
        written.sort_unstable();
        written.dedup();
        let needle = needle.map(|needle| memmem::Finder::new(needle.as_bytes()).into_owned());
        Origin { written, needle }
    }

    /// The longest that a URL of the upstream can be, with the two characters that tell its end.
    pub fn longest(&self) -> usize {
        r"https:\/\/".len() + self.written.iter().map(Vec::len).max().unwrap_or(0) + 2
    }

    /// Whether a URL of the upstream can be in `text`: cheap, and sometimes wrong.
    pub fn may_be_in(&self, text: &[u8]) -> bool {
        self.needle.as_ref().is_none_or(|needle| needle.find(text).is_some())
    }

    /// Rewrites `held` and `more`, with URLs of the upstream as those of `name`; an unfinished end is held.
    pub fn rewrite(&self, name: &Name, held: &mut Vec<u8>, more: &[u8], is_end: bool) -> Passed {
        held.extend_from_slice(more);
        let text = std::mem::take(held);
        let mut passed = Passed { out: Vec::with_capacity(text.len()), has_found: false };
        let out = &mut passed.out;
        let (mut copied, mut at) = (0, 0);
        while let Some(slash) =
            text.get(at..).and_then(|rest| memchr::memchr(b'/', rest)).map(|found| at + found)
        {
            let Some((start, spoken, after)) = beginning(&text, slash, copied) else {
                at = slash + 1;
                continue;
            };
            match self.url(&text, after, is_end) {
                Found::Nothing => at = slash + 1,
                Found::Url(end) => {
                    passed.has_found = true;
                    out.extend_from_slice(text.get(copied..start).unwrap_or_default());
                    if let Some(spoken) = spoken {
                        out.extend_from_slice(spoken.as_secure_as(name.spoken).as_bytes());
                        out.push(b':');
                    }
                    let [plain, escaped] = SLASHES;
                    out.extend_from_slice(if text.get(slash + 1) == Some(&b'/') { plain } else { escaped });
                    out.extend_from_slice(&name.authority);
                    (copied, at) = (end, end);
                }
                Found::Unsure => {
                    out.extend_from_slice(text.get(copied..start).unwrap_or_default());
                    *held = text.get(start..).unwrap_or_default().to_vec();
                    return passed;
                }
            }
        }
        let kept = if is_end { 0 } else { unfinished(text.get(copied..).unwrap_or_default()) };
        let end = text.len() - kept;
        out.extend_from_slice(text.get(copied..end).unwrap_or_default());
        *held = text.get(end..).unwrap_or_default().to_vec();
        passed
    }

    /// Whether the upstream's authority, and its base path, stand at `at`.
    fn url(&self, text: &[u8], at: usize, is_end: bool) -> Found {
        let rest = text.get(at..).unwrap_or_default();
        let mut found = Found::Nothing;
        for whole in &self.written {
            let (begun, following) = rest.split_at_checked(whole.len()).unwrap_or((rest, b""));
            if !whole.get(..begun.len()).is_some_and(|start| start.eq_ignore_ascii_case(begun)) {
                continue;
            }
            match following {
                _ if begun.len() < whole.len() && is_end => {}
                [] | [b'.'] if !is_end => found = Found::Unsure,
                [b'.', next, ..] | [next, ..] if goes_on(*next) => {}
                _ => return Found::Url(at + whole.len()),
            }
        }
        found
    }
}

/// Whether a name or a path goes on: `api.test.evil`, `/v10`.
fn goes_on(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_@:%~".contains(&byte)
}

/// For the slashes from `slash` on: the start of their URL, its scheme, and the end of the slashes.
fn beginning(text: &[u8], slash: usize, copied: usize) -> Option<(usize, Option<Spoken>, usize)> {
    let (first, after) = if text.get(slash + 1) == Some(&b'/') {
        (slash, slash + 2)
    } else if slash > copied && text.get(slash - 1..slash + 3)? == SLASHES[1] {
        (slash - 1, slash + 3)
    } else {
        return None;
    };
    let before = text.get(copied..first)?;
    let Some(before) = before.strip_suffix(b":") else { return Some((first, None, after)) };
    let ends_with = |scheme: &&&[u8]| {
        let start = before.len().checked_sub(scheme.len());
        start.and_then(|start| before.get(start..)).is_some_and(|end| end.eq_ignore_ascii_case(scheme))
    };
    let scheme = SCHEMES.iter().find(ends_with)?;
    Some((first - 1 - scheme.len(), Spoken::parse(scheme), after))
}

/// How long the end of `text` is that may be the beginning of a URL's scheme and slashes.
fn unfinished(text: &[u8]) -> usize {
    let begins = |end: &[u8]| {
        let starts =
            |whole: &[u8]| whole.get(..end.len()).is_some_and(|start| start.eq_ignore_ascii_case(end));
        SLASHES.iter().any(|slashes| {
            // A colon alone tells that the scheme before it is another.
            let schemes = SCHEMES.into_iter().chain([&b""[..]]);
            starts(slashes)
                || schemes.map(|scheme| [scheme, b":", slashes].concat()).any(|whole| starts(&whole))
        })
    };
    let longest = text.len().min(r"https:\/\/".len());
    (1..=longest).rev().find(|length| text.get(text.len() - length..).is_some_and(begins)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rules::{Authority, Scheme};

    fn upstream(host: &str, port: u16, base: &str) -> UpstreamUrl {
        let authority = Authority { host: host.into(), port };
        UpstreamUrl { scheme: Scheme::Https, authority, base_path: base.into() }
    }

    fn front() -> Name {
        Name { authority: b"f:1".to_vec(), spoken: Spoken::of(Scheme::Http) }
    }

    /// Rewrites a text that comes in these pieces.
    fn through(upstream: &UpstreamUrl, pieces: &[&[u8]]) -> String {
        let (origin, mut held, mut out) = (Origin::of(upstream), Vec::new(), Vec::new());
        for piece in pieces {
            out.extend(origin.rewrite(&front(), &mut held, piece, false).out);
            assert!(held.len() <= origin.longest(), "{}", held.escape_ascii());
        }
        out.extend(origin.rewrite(&front(), &mut held, b"", true).out);
        String::from_utf8(out).expect("text")
    }

    const CASES: [(&str, &str); 15] = [
        (r#"<a href="https://api.test/v1/a?b">"#, r#"<a href="http://f:1/a?b">"#),
        (r#"{"next":"https:\/\/api.test\/v1\/a"}"#, r#"{"next":"http:\/\/f:1\/a"}"#),
        ("<img src=//API.test/v1/i.png> wss://api.test:443/v1/s", "<img src=//f:1/i.png> ws://f:1/s"),
        ("HTTPS://API.TEST/v1/a http://api.test:443/v1", "http://f:1/a http://f:1"),
        ("see https://api.test/v1.", "see http://f:1."),
        ("https://api.test/v1", "http://f:1"),
        ("'https://api.test/v1?a'https://api.test/v1#b", "'http://f:1?a'http://f:1#b"),
        ("https://api.test/v10 https://api.test/other", "https://api.test/v10 https://api.test/other"),
        (
            "https://api.test.evil/v1/ https://xapi.test/v1/",
            "https://api.test.evil/v1/ https://xapi.test/v1/",
        ),
        ("ftp://api.test/v1/ foo://api.test/v1/", "ftp://api.test/v1/ foo://api.test/v1/"),
        ("https://me@api.test/v1/", "https://me@api.test/v1/"),
        ("https%3A%2F%2Fapi.test%2Fv1", "https%3A%2F%2Fapi.test%2Fv1"),
        ("https:/", "https:/"),
        ("https://api.tes", "https://api.tes"),
        ("caf\u{e9} / a // b \\/ c", "caf\u{e9} / a // b \\/ c"),
    ];

    #[test]
    fn the_upstreams_origin_becomes_the_proxys_wherever_the_text_is_cut() {
        let upstream = upstream("api.test", 443, "/v1");
        for (from, to) in CASES {
            for cut in 0..=from.len() {
                let (one, other) = from.as_bytes().split_at(cut);
                assert_eq!(through(&upstream, &[one, other]), to, "{from} cut at {cut}");
            }
        }
    }

    #[test]
    fn this_machines_names_are_one_and_no_base_path_is_needed() {
        for host in ["127.0.0.1", "localhost", "::1"] {
            let upstream = upstream(host, 8443, "");
            for (from, to) in [
                (
                    "https://localhost:8443/a https://[::1]:8443 https://127.0.0.1:8443",
                    "http://f:1/a http://f:1 http://f:1",
                ),
                (
                    "https://localhost/a https://127.0.0.1:84430",
                    "https://localhost/a https://127.0.0.1:84430",
                ),
            ] {
                assert_eq!(through(&upstream, &[from.as_bytes()]), to);
            }
        }
        assert_eq!(through(&upstream("2001:db8::7", 443, ""), &[b"//[2001:DB8::7]/a"]), "//f:1/a");
    }

    #[test]
    fn what_can_be_no_url_does_not_wait() {
        let (origin, mut held) = (Origin::of(&upstream("api.test", 443, "")), Vec::new());
        let pieces = [
            ("{\"a\":1}\n", "{\"a\":1}\n"),
            ("a htt", "a "),
            ("x", "httx"),
            ("//api.test", ""),
            ("/ ", "//f:1/ "),
        ];
        for (piece, gone) in pieces {
            let passed = origin.rewrite(&front(), &mut held, piece.as_bytes(), false);
            assert_eq!(passed.out, gone.as_bytes());
        }
    }

    /// The same, of a whole text: every way to write a URL is tried at every place.
    fn naive(text: &str) -> String {
        let (mut out, mut at) = (String::new(), 0);
        'places: while at < text.len() {
            for scheme in ["https:", "http:", "wss:", "ws:", ""] {
                for slashes in ["//", r"\/\/"] {
                    for authority in ["api.test:443", "api.test"] {
                        for base in ["/v1", r"\/v1"] {
                            let url = [scheme, slashes, authority, base].concat();
                            let Some(after) = text[at..].strip_prefix(&url) else { continue };
                            let after = after.as_bytes();
                            let is_other_scheme = scheme.is_empty() && text[..at].ends_with(':');
                            let end =
                                after.strip_prefix(b".").filter(|rest| !rest.is_empty()).unwrap_or(after);
                            if is_other_scheme || end.first().is_some_and(|byte| goes_on(*byte)) {
                                continue;
                            }
                            let spoken = if scheme.starts_with('h') { "http:" } else { "ws:" };
                            out += &[if scheme.is_empty() { "" } else { spoken }, slashes, "f:1"].concat();
                            at += url.len();
                            continue 'places;
                        }
                    }
                }
            }
            out.push(char::from(text.as_bytes()[at]));
            at += 1;
        }
        out
    }

    proptest! {
        #[test]
        fn a_text_in_pieces_becomes_what_the_whole_does(
            words in proptest::collection::vec(
                proptest::sample::select(vec![
                    "https:", "//", r"\/\/", "api.test", ":443", "/v1", r"\/v1", ".", "x", "\"", "http", "s://", "/",
                    "https://api.test", "/v1/", "wss://api.test:443/v1", r"http:\/\/api.test\/v1", "\\",
                ]),
                0..14,
            ),
            cuts in proptest::collection::vec(0..140_usize, 0..5),
        ) {
            let text = words.concat();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|ends| &text.as_bytes()[ends[0]..ends[1]]).collect();
            prop_assert_eq!(through(&upstream("api.test", 443, "/v1"), &pieces), naive(&text));
        }
    }
}
