use proptest::prelude::*;

use super::*;

fn captured<'r>(pattern: &'r PathPattern, path: &'r str) -> Option<Vec<(&'r str, &'r str)>> {
    pattern.captures(path).map(|captures| captures.0)
}

#[test]
fn patterns_fit_whole_paths() {
    for (pattern, fitting, others) in [
        ("/", &["/"][..], &["", "*", "/a", "//"][..]),
        ("/items", &["/items"], &["/items/", "/item", "/itemss", "/Items", "items"]),
        ("/items/", &["/items/"], &["/items", "/items/7"]),
        ("/a//b", &["/a//b"], &["/a/b", "/a/x/b"]),
        ("/items/{id}", &["/items/7", "/items/a.b", "/items/a%2Fb"], &["/items/", "/items", "/items/7/8"]),
        ("/items/*", &["/items/7", "/items/"], &["/items", "/items/7/8"]),
        ("/files/{name}.json", &["/files/a.json", "/files/..json"], &["/files/.json", "/files/a.jso"]),
        ("/*.js", &["/.js", "/a.js", "/a.js.js"], &["/a.json", "/a/b.js"]),
        ("/a*b*c", &["/abc", "/a-b-c", "/abbcbc"], &["/ac", "/acb", "/abcd"]),
        ("/{a}-{b}", &["/x-y", "/--x", "/x-y-z"], &["/-y", "/x-", "/-", "/xy"]),
        ("/**", &["/", "/a", "/a/b", "//", "/a/"], &["", "*"]),
        ("/items/**", &["/items", "/items/", "/items/a/b"], &["/itemsx", "/item", "/"]),
        ("/**/x", &["/x", "/a/x", "/a/b/x", "/x/x"], &["/", "/ax", "/x/"]),
        ("/a/**/b", &["/a/b", "/a/x/b", "/a/x/y/b", "/a/b/b", "/a//b"], &["/a", "/b", "/a/bb", "/ab"]),
        ("/**/a/**/b/**", &["/a/b", "/x/a/y/b/z", "/a/a/b"], &["/a", "/b/a", "/xa/b"]),
        ("/**/**", &["/", "/a/b"], &["*"]),
        ("/%69tems/%7e%2f", &["/items/~%2f"], &["/%69tems/~%2f", "/items/~/", "/items/~%2F"]),
        ("/%7Bid%7D", &["/%7Bid%7D"], &["/x"]),
        ("/a*", &["/aé"], &["/é"]),
        ("/{a}x", &["/éx"], &["/x"]),
    ] {
        let parsed = PathPattern::parse(pattern).unwrap();
        for path in fitting {
            assert!(parsed.captures(path).is_some(), "{pattern} fits {path}");
        }
        for path in others {
            assert!(parsed.captures(path).is_none(), "{pattern} does not fit {path}");
        }
        assert_eq!(parsed.to_string(), pattern);
    }
}

#[test]
fn names_take_the_shortest_text_from_the_left() {
    for (pattern, path, expected) in [
        ("/items/{id}", "/items/7", &[("id", "7")][..]),
        ("/{a}-{b}", "/x-y-z", &[("a", "x"), ("b", "y-z")]),
        ("/{a}-{b}", "/--x", &[("a", "-"), ("b", "x")]),
        ("/{name}.{kind}.gz", "/a.tar.gz.gz", &[("name", "a"), ("kind", "tar.gz")]),
        ("/{a}-{b}", "/é--é", &[("a", "é"), ("b", "-é")]),
        ("/{a}/**/{b}/x/**/{c}", "/1/2/3/x/4/5", &[("a", "1"), ("b", "3"), ("c", "5")]),
        ("/**/{a}x/y{b}/**", "/1x/2x/y3", &[("a", "2"), ("b", "3")]),
        ("/{user_1}/*", "/u/v", &[("user_1", "u")]),
    ] {
        let parsed = PathPattern::parse(pattern).unwrap();
        assert_eq!(captured(&parsed, path).unwrap(), expected, "{pattern} {path}");
        let names: Vec<&str> = expected.iter().map(|(name, _)| *name).collect();
        assert_eq!(parsed.names().collect::<Vec<_>>(), names);
    }
}

#[test]
fn mistakes_say_where_they_are_and_what_to_write() {
    for (text, at, part) in [
        ("", 0..0, "write `/`"),
        ("items", 0..5, "write `/items`"),
        ("/a?b=1", 2..6, "`query`"),
        ("/a#b", 2..4, "fragments"),
        ("/a b", 2..3, "write `%20`"),
        ("/café", 4..6, "write `%C3%A9`"),
        ("/a/{id", 3..6, "not closed"),
        ("/{id/x}", 1..4, "not closed"),
        ("/id}", 3..4, "without a `{`"),
        ("/a/{}", 3..5, "write `{id}`"),
        ("/{a-b}", 2..5, "not a name"),
        ("/{1a}", 2..4, "not a name"),
        ("/{a{b}}", 2..5, "not a name"),
        ("/{*rest}", 1..8, "`**`"),
        ("/{rest...}", 1..10, "`**`"),
        ("/{id}/x/{id}", 9..11, "`id` is taken"),
        ("/a**", 2..4, "stands alone"),
        ("/**a", 1..3, "stands alone"),
        ("/***", 1..3, "stands alone"),
        ("/{a}{b}", 4..7, "nothing stands between"),
        ("/{a}*", 4..5, "nothing stands between"),
        ("/*{a}", 2..5, "nothing stands between"),
    ] {
        let mistake = PathPattern::parse(text).unwrap_err();
        assert_eq!(mistake.at, at, "{text}: {mistake}");
        assert!(mistake.message.contains(part), "{text}: {mistake}");
    }
    let long = format!("/{}", "a".repeat(1024));
    assert_eq!(PathPattern::parse(&long).unwrap_err().at, 1024..1025);
    assert!(PathPattern::parse(&long[..1024]).is_ok());
}

/// A hostile pattern over a hostile path: with naive backtracking these would not end.
#[test]
fn hostile_patterns_end() {
    for (pattern, path) in [
        (format!("/{}b", "a*".repeat(500)), format!("/{}", "a".repeat(60_000))),
        (format!("/{}b", "*a".repeat(500)), format!("/{}c", "a".repeat(60_000))),
        ("/**/x".repeat(200) + "/y", "/x".repeat(30_000)),
        ("/**/x/*".repeat(140) + "/y", "/x".repeat(30_000)),
        (format!("/**{}/**/z", "/a*a*b".repeat(140)), "/aaaaaaaaaaaaaaaaaaaa".repeat(3_000)),
    ] {
        assert!(PathPattern::parse(&pattern).unwrap().captures(&path).is_none());
    }
}

/// Naive model: the definition of fitting, with its exponential cost.
fn fits_by_definition(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern, path) {
        ([], []) => true,
        (["**", pattern @ ..], _) => (0..=path.len()).any(|at| fits_by_definition(pattern, &path[at..])),
        ([a, pattern @ ..], [b, path @ ..]) => {
            segment_by_definition(a.as_bytes(), b.as_bytes()) && fits_by_definition(pattern, path)
        }
        _ => false,
    }
}

fn segment_by_definition(pattern: &[u8], text: &[u8]) -> bool {
    let any_from =
        |least, pattern| (least..=text.len()).any(|at| segment_by_definition(pattern, &text[at..]));
    match pattern {
        [] => text.is_empty(),
        [b'*', rest @ ..] => any_from(0, rest),
        [b'{', _, b'}', rest @ ..] => any_from(1, rest),
        [byte, rest @ ..] => text.first() == Some(byte) && segment_by_definition(rest, &text[1..]),
    }
}

fn segments(path: &str) -> Vec<&str> {
    path.split('/').skip(1).collect()
}

/// Patterns and paths over two letters, so that many fit.
fn patterns() -> impl Strategy<Value = String> {
    let segment = prop_oneof![
        2 => Just("**".to_owned()),
        5 => prop::collection::vec(prop_oneof![Just("a"), Just("b"), Just("*"), Just("{}")], 0..5)
            .prop_map(|parts| parts.concat()),
    ];
    prop::collection::vec(segment, 1..6).prop_map(|segments| {
        // Every name its own letter.
        let mut letters = 'a'..;
        let text = format!("/{}", segments.join("/"));
        let mut pieces = text.split("{}");
        let first = pieces.next().unwrap_or_default().to_owned();
        pieces.fold(first, |text, piece| format!("{text}{{{}}}{piece}", letters.next().unwrap_or('z')))
    })
}

proptest! {
    #[test]
    fn fitting_is_what_its_definition_says(pattern in patterns(), path in "(/[ab]{0,3}){1,5}") {
        // Wild parts side by side are refused.
        let Ok(parsed) = PathPattern::parse(&pattern) else { return Ok(()) };
        let captures = parsed.captures(&path);
        prop_assert_eq!(captures.is_some(), fits_by_definition(&segments(&pattern), &segments(&path)));
        if let Some(captures) = captures {
            let names: Vec<&str> = captures.0.iter().map(|(name, _)| *name).collect();
            prop_assert_eq!(names, parsed.names().collect::<Vec<_>>());
            prop_assert!(captures.0.iter().all(|(_, value)| !value.is_empty() && !value.contains('/')));
        }
    }

    #[test]
    fn any_text_is_a_pattern_or_a_mistake_in_it(text in "\\PC{0,20}|/[a{}*/%?é]{0,12}", path in "/[a/%{}é]{0,12}") {
        match PathPattern::parse(&text) {
            Ok(pattern) => drop(pattern.captures(&path)),
            Err(mistake) => prop_assert!(text.get(mistake.at.clone()).is_some(), "{:?} in {}", mistake, text),
        }
    }
}
