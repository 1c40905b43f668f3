//! The class of a client: the product that its `User-Agent` names (RFC 9110 §10.1.5).
//!
//! Most clients name themselves first. Browsers, and robots that pass for one, begin with `Mozilla/5.0`
//! and name the engines that they are like; their own name stands behind those, or in a comment.

use std::borrow::Cow;

use http::HeaderValue;
use smol_str::SmolStr;

use crate::model::sanitize;

/// Of which class the latest client was: mostly the next request is from such a one as well.
#[derive(Default)]
pub struct LatestAgent {
    said: Vec<u8>,
    class: Option<SmolStr>,
}

impl LatestAgent {
    /// Longer values, in bytes, are not remembered.
    const MOST_SAID: usize = 256;

    /// The class of clients with this `User-Agent`.
    pub fn class(&mut self, agent: &HeaderValue) -> Option<SmolStr> {
        let says = agent.as_bytes();
        if self.said != says {
            if says.len() > LatestAgent::MOST_SAID {
                return class(says);
            }
            self.class = class(says);
            self.said.clear();
            self.said.extend_from_slice(says);
        }
        self.class.clone()
    }
}

/// Engines and platforms, which several browsers name beside themselves. Chrome is one where another
/// Chromium browser names itself too.
const SHARED: [&str; 9] =
    ["Mozilla", "AppleWebKit", "Gecko", "Presto", "Version", "Mobile", "Safari", "Chrome", "Ubuntu"];

/// Bytes of a `User-Agent` that are parsed.
const MOST_READ: usize = 1024;
/// Characters kept of a name: none in use is longer.
const LONGEST: usize = 100;

fn class(says: &[u8]) -> Option<SmolStr> {
    let text = decoded(says.get(..MOST_READ).unwrap_or(says));
    let parts = Parts::of(&text);
    let first = parts.products.first().copied();
    let name = match first {
        Some(product) if name_of(product) != "Mozilla" => product.into(),
        _ => {
            let behind = parts.browser().or_else(|| parts.platform());
            parts.robot().map(Cow::Borrowed).or(behind).or(first.map(Cow::Borrowed))?
        }
    };
    Some(sanitize(&name, LONGEST).as_ref().into())
}

/// UTF-8, or else Latin-1, in which header fields were once written (RFC 9110 §5.5).
fn decoded(says: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(says) {
        Ok(text) => text.into(),
        // Cut inside its last character.
        Err(error) if error.error_len().is_none() => {
            String::from_utf8_lossy(says.get(..error.valid_up_to()).unwrap_or_default())
        }
        Err(_) => says.iter().copied().map(char::from).collect::<String>().into(),
    }
}

/// Parts of a `User-Agent`, in order.
struct Parts<'t> {
    /// The words outside of comments.
    products: Vec<&'t str>,
    /// The insides of the outermost parentheses.
    comments: Vec<&'t str>,
}

impl<'t> Parts<'t> {
    fn of(text: &'t str) -> Parts<'t> {
        let mut parts = Parts { products: Vec::new(), comments: Vec::new() };
        let mut rest = text;
        while let Some(open) = rest.find('(') {
            let (before, comment) = rest.split_at(open);
            parts.products.extend(before.split_ascii_whitespace());
            let end = end_of(comment);
            parts.comments.push(comment.get(1..end).unwrap_or_default());
            rest = comment.get(end + 1..).unwrap_or_default();
        }
        parts.products.extend(rest.split_ascii_whitespace());
        parts
    }

    /// The name in a comment that says `compatible` or where to complain, as robots' comments do:
    /// `(compatible; mybot/1.0; +https://example.org/bot)`.
    fn robot(&self) -> Option<&'t str> {
        self.comments.iter().find_map(|comment| {
            let mut pieces = pieces(comment);
            if pieces.clone().any(|piece| piece.eq_ignore_ascii_case("compatible")) {
                let mut behind = pieces.skip_while(|piece| !piece.eq_ignore_ascii_case("compatible")).skip(1);
                return behind.find(|piece| !is_contact(piece));
            }
            pieces.clone().any(is_contact).then(|| pieces.find(|piece| is_product(piece)))?
        })
    }

    /// The product that only this browser names; without one, Chrome before Safari, with the version that
    /// stands beside its name.
    fn browser(&self) -> Option<Cow<'t, str>> {
        let mut products = self.products.iter().copied().filter(|product| is_product(product));
        let called = |name: &str| {
            self.products.iter().copied().find(|product| is_product(product) && name_of(product) == name)
        };
        let own = products.find(|product| !SHARED.contains(&name_of(product))).or_else(|| called("Chrome"));
        own.map(Cow::Borrowed).or_else(|| {
            let safari = called("Safari")?;
            let version = called("Version").and_then(|product| product.split_once('/'));
            Some(version.map_or(safari.into(), |(_, version)| format!("Safari/{version}").into()))
        })
    }

    /// A product among the platforms: `(Windows NT 6.1; Trident/7.0; rv:11.0)`.
    fn platform(&self) -> Option<Cow<'t, str>> {
        let mut all = self.comments.iter().flat_map(|comment| pieces(comment));
        all.find(|piece| is_product(piece)).map(Cow::Borrowed)
    }
}

/// Where the comment that `text` begins with is closed; comments nest.
fn end_of(text: &str) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' if depth == 1 => return at,
            b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    text.len()
}

fn pieces(comment: &str) -> impl Iterator<Item = &str> + Clone {
    comment.split([';', ',']).map(str::trim).filter(|piece| !piece.is_empty())
}

/// Whether it holds an address for complaints.
fn is_contact(piece: &str) -> bool {
    piece.starts_with('+') || piece.contains("://") || piece.contains('@')
}

/// Whether it is a name with its version: `mybot/1.0`.
fn is_product(piece: &str) -> bool {
    let parts = piece.split_once('/').filter(|(name, _)| !name.is_empty());
    parts.is_some_and(|(_, version)| version.starts_with(|c: char| c.is_ascii_digit()))
        && !piece.contains(char::is_whitespace)
}

fn name_of(product: &str) -> &str {
    product.split('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines of real clients, the class of each before it.
    const REAL: &str = "
python-httpx/0.28.1 | python-httpx/0.28.1
curl/8.5.0 | curl/8.5.0
okhttp | okhttp
Opera/9.80 | Opera/9.80 (Windows NT 6.1) Presto/2.12.388 Version/12.18
mybot/1.0 | Mozilla/5.0 (compatible; mybot/1.0)
Googlebot/2.1 | Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)
GPTBot/1.2 | Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)
bingbot/2.0 | Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm) Chrome/116.0.1938.76 Safari/537.36
Googlebot/2.1 | Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/99.0.4844.84 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)
Applebot/0.1 | Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/13.1.1 Safari/605.1.15 (Applebot/0.1; +http://www.apple.com/go/applebot)
Yahoo! Slurp | Mozilla/5.0 (compatible; Yahoo! Slurp; http://help.yahoo.com/help/us/ysearch/slurp)
MSIE 10.0 | Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.2; Trident/6.0)
Trident/7.0 | Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko
mybot/2 | Mozilla/5.0 (mybot/2; ops@example.org)
Chrome/131.0.0.0 | Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36
HeadlessChrome/131.0.6778.33 | Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/131.0.6778.33 Safari/537.36
Edg/131.0.2903.51 | Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 Edg/131.0.2903.51
OPR/114.0.0.0 | Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Safari/537.36 OPR/114.0.0.0
SamsungBrowser/26.0 | Mozilla/5.0 (Linux; Android 14; SM-S928B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/26.0 Chrome/122.0.0.0 Mobile Safari/537.36
Chromium/18.0.1025.168 | Mozilla/5.0 (X11; Linux i686) AppleWebKit/535.19 (KHTML, like Gecko) Ubuntu/12.04 Chromium/18.0.1025.168 Chrome/18.0.1025.168 Safari/535.19
Firefox/132.0 | Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0
FxiOS/132.0 | Mozilla/5.0 (iPhone; CPU iPhone OS 17_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/132.0 Mobile/15E148 Safari/605.1.15
Safari/18.1 | Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15
Safari/18.1 | Mozilla/5.0 (iPhone; CPU iPhone OS 17_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1
MyApp/1.2.0 | Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) MyApp/1.2.0 Chrome/128.0.6613.186 Electron/32.2.0 Safari/537.36
jsdom/25.0.1 | Mozilla/5.0 (linux) AppleWebKit/537.36 (KHTML, like Gecko) jsdom/25.0.1
PowerShell/7.4.6 | Mozilla/5.0 (Windows NT 10.0; Microsoft Windows 10.0.22631; en-US) PowerShell/7.4.6
Mozilla/5.0 | Mozilla/5.0 (X11; Linux)
Mozilla/5.0 | Mozilla/5.0
mybot/3 | (mybot/3)
größe-bot/1.0 | größe-bot/1.0 (linux)
クローラー/2 | Mozilla/5.0 (compatible; クローラー/2)
a\\u{202e}b/1 | a\u{202e}b/1
mybot/1.0 | Mozilla/5.0 (compatible; mybot/1.0";

    fn class_of(agent: &[u8]) -> Option<SmolStr> {
        let value = HeaderValue::from_bytes(agent).expect("a value");
        let mut latest = LatestAgent::default();
        let class = latest.class(&value);
        assert_eq!(latest.class(&value), class, "the second time it is known");
        class
    }

    #[test]
    fn a_client_is_of_the_class_that_it_names() {
        for line in REAL.lines().skip(1) {
            let (class, agent) = line.split_once(" | ").expect("a class and an agent");
            assert_eq!(class_of(agent.as_bytes()).as_deref(), Some(class), "{agent}");
        }
        assert_eq!(class_of(b"gr\xf6\xdfe/1.0").as_deref(), Some("größe/1.0"), "Latin-1");
        assert_eq!(class_of(b"a\x80b").as_deref(), Some("a\\u{80}b"), "no controls");
    }

    #[test]
    fn without_a_name_there_is_no_class_and_a_long_one_is_cut() {
        for agent in ["", " ", "(", "()", ")("] {
            assert_eq!(class_of(agent.as_bytes()), (agent == ")(").then(|| ")".into()), "{agent}");
        }
        let long = class_of("é".repeat(5_000).as_bytes()).expect("a class");
        assert_eq!(long.chars().count(), LONGEST + 1, "{long}");
        let commented = format!("curl/8 {}", "(x".repeat(5_000));
        assert_eq!(class_of(commented.as_bytes()).as_deref(), Some("curl/8"));
    }

    #[test]
    fn the_next_client_is_told_apart_from_the_latest() {
        let long = format!("curl/8 {}", "x".repeat(LatestAgent::MOST_SAID));
        let mut latest = LatestAgent::default();
        for (agent, class) in [
            ("", None),
            ("python-httpx/0.28.1", Some("python-httpx/0.28.1")),
            ("python-httpx/0.28.10", Some("python-httpx/0.28.10")),
            (&*long, Some("curl/8")),
            ("", None),
            (&*long, Some("curl/8")),
            ("okhttp/4", Some("okhttp/4")),
        ] {
            let value = HeaderValue::from_str(agent).expect("a value");
            assert_eq!(latest.class(&value).as_deref(), class);
        }
    }
}
