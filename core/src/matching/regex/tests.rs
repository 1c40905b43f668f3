use super::super::outline::Tail;
use super::*;

#[test]
fn expressions_match_whole_paths() {
    for (expression, path, expected) in [
        ("/items/[0-9]+", "/items/42", Some(&[][..])),
        ("/items/[0-9]+", "/items/42/", None),
        ("/items/[0-9]+", "/v1/items/42", None),
        ("/a|/b", "/b", Some(&[])),
        ("/a|/b", "/bx", None),
        ("/a|/ab", "/ab", Some(&[])),
        ("/(?<id>\\d+)/(?P<rest>.*)", "/7/a/b", Some(&[("id", "7"), ("rest", "a/b")])),
        ("/((?<a>a)|(?<b>b))", "/b", Some(&[("b", "b")])),
        ("(?i)/ITEMS", "/items", Some(&[])),
        ("^/items$", "/items", Some(&[])),
        ("(?m)^/items$", "/items", Some(&[])),
        ("/\\d", "/٣", None),
        ("/(?<first>.)(?<rest>.*)", "/éa", Some(&[])),
        ("", "", Some(&[])),
    ] {
        let regex = PathRegex::parse(expression).unwrap();
        let captures = regex.captures(path).map(|captures| captures.0);
        assert_eq!(captures.as_deref(), expected, "{expression} {path}");
        assert_eq!(regex.to_string(), expression);
    }
    let regex = PathRegex::parse("/(?<a>.)/(x)/(?<b>.)").unwrap();
    assert_eq!(regex.names().collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn mistakes_say_where_they_are() {
    for (text, at, part) in [
        ("/items/(", 7..8, "unclosed group"),
        ("/[a", 1..2, "unclosed character class"),
        ("/a**{3,2}", 4..9, "repetition"),
        ("/(?<a>x)/(?<a>y)", 12..13, "duplicate"),
        ("/(?=x)", 1..4, "look-around"),
        ("/\\p{Greek}", 1..10, "percent-encoded"),
        ("/é(", 3..4, "unclosed group"),
        ("/(a{1000}){1000}", 0..16, "too big"),
    ] {
        let mistake = PathRegex::parse(text).unwrap_err();
        assert_eq!(mistake.at, at, "{text}: {mistake}");
        assert!(mistake.message.contains(part), "{text}: {mistake}");
    }
    assert_eq!(PathRegex::parse(&"a".repeat(4097)).unwrap_err().at, 4096..4097);
    let nested = format!("{}a{}", "(".repeat(1000), ")".repeat(1000));
    assert!(PathRegex::parse(&nested).unwrap_err().message.contains("nested"));
}

/// With backtracking these matches would take exponential time.
#[test]
fn hostile_expressions_end() {
    let path = format!("/{}", "a".repeat(30_000));
    for expression in ["/(a+)+b", "/(a|aa)*(?<x>b)", "/(.*)(.*)(.*)(.*)x"] {
        assert!(PathRegex::parse(expression).unwrap().captures(&path).is_none());
    }
}

#[test]
fn outlines_are_read_off_the_expression() {
    let end = Tail::End;
    let rest = Tail::Rest;
    for (expression, segments, tail, literals) in [
        ("/items", &[Some("items")][..], end, &[&["/items"][..]][..]),
        ("/s-1/items/\\d+", &[Some("s-1"), Some("items"), None], end, &[&["/s-1/items/"]]),
        ("/u/(?<id>[^/]+)/x", &[Some("u"), None, Some("x")], end, &[&["/u/"], &["/x"]]),
        ("/(?:users|u)/x", &[None, Some("x")], end, &[&["/"], &["users", "u"], &["/x"]]),
        ("/u/.*", &[Some("u")], rest, &[&["/u/"]]),
        ("/a/b(?:/.*)?", &[Some("a"), Some("b")], rest, &[&["/a/b"]]),
        ("/a/b(?:/c)?d", &[Some("a")], rest, &[&["/a/b"], &["d"]]),
        ("/a/b(?:c/.*)?", &[Some("a")], rest, &[&["/a/b"]]),
        ("/a/(?<b>b/c)", &[Some("a"), Some("b"), Some("c")], end, &[&["/a/b/c"]]),
        (".*/x", &[], rest, &[&["/x"]]),
        ("/cats|/dogs", &[], rest, &[&["/cats", "/dogs"]]),
        ("(?i)/item-1", &[None], end, &[&["/item-1"]]),
        ("/x(?:abc)+y", &[None], end, &[&["/x"], &["abc"], &["y"]]),
        ("x", &[], rest, &[&["x"]]),
    ] {
        let regex = PathRegex::parse(expression).unwrap();
        let outline = regex.outline();
        let seen: Vec<Option<&str>> = outline.segments.iter().map(Option::as_deref).collect();
        let literal = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
        let texts: Vec<Vec<String>> =
            outline.literals.iter().map(|list| list.iter().map(|text| literal(text)).collect()).collect();
        assert_eq!((&*seen, outline.tail), (segments, tail), "{expression}");
        assert_eq!(texts, literals, "{expression}");
    }
}
