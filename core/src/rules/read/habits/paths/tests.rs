//! Other programs' paths, and paths that only look like theirs.

use proptest::prelude::*;

use super::*;

#[test]
fn what_other_programs_write_is_said_in_ours() {
    for (text, pattern) in [
        // URLs, and the parts that are copied with them.
        ("http://localhost:9000/items/7", "/items/7"),
        ("https://api.example.com/items/:id?expand=1#top", "/items/{id}"),
        ("https://api.example.com", "/"),
        ("*://*/items", "/items"),
        ("localhost:9000/items", "/items"),
        ("api.example.com/v1/items", "/v1/items"),
        ("*/items", "/items"),
        ("{{baseUrl}}/items/{{id}}", "/items/{id}"),
        ("$BASE_URL/items", "/items"),
        ("PUT /items/{id}", "/items/{id}"),
        ("GET|POST /items", "/items"),
        // Express, Rails, gin.
        ("/items/:id", "/items/{id}"),
        ("/items/:id/parts/:part_id", "/items/{id}/parts/{part_id}"),
        ("/flights/:from-:to", "/flights/{from}-{to}"),
        ("/items/:id(\\d+)", "/items/{id}"),
        ("/items/:id?", "/items/{id}"),
        ("/items/:id.json", "/items/{id}.json"),
        ("/files/:rest*", "/files/**"),
        ("/files/*rest", "/files/**"),
        ("items/:id", "/items/{id}"),
        // Flask, Django, Rocket.
        ("/items/<int:id>", "/items/{id}"),
        ("items/<uuid:pk>/", "/items/{pk}/"),
        ("/items/<id>", "/items/{id}"),
        ("/files/<path:rest>", "/files/**"),
        ("/files/<rest..>", "/files/**"),
        // Next.js, SvelteKit.
        ("/items/[id]", "/items/{id}"),
        ("/files/[...rest]", "/files/**"),
        ("/files/[[...rest]]", "/files/**"),
        // Starlette, Spring, ASP.NET, Go, actix, Envoy.
        ("/items/{id:int}", "/items/{id}"),
        ("/items/{id:[0-9]+}", "/items/{id}"),
        ("/items/{id:\\d{3}}", "/items/{id}"),
        ("/items/{ id }", "/items/{id}"),
        ("/items/{id?}", "/items/{id}"),
        ("/files/{path:path}", "/files/**"),
        ("/files/{tail:.*}", "/files/**"),
        ("/files/{*rest}", "/files/**"),
        ("/files/{**rest}", "/files/**"),
        ("/files/{rest...}", "/files/**"),
        ("/files/{path=**}", "/files/**"),
        ("/items/{name=*}", "/items/{name}"),
        // Scripts.
        ("/items/${id}", "/items/{id}"),
        ("/items/{{id}}", "/items/{id}"),
        ("/items/{{ item_id }}/x", "/items/{item_id}/x"),
        ("/items/#{id}", "/items/{id}"),
        ("/items/%s", "/items/{id}"),
        ("/files/...", "/files/**"),
        ("/files/.*", "/files/**"),
    ] {
        let mistake = check(text).unwrap_or_else(|| panic!("{text} passes"));
        assert!(mistake.message.ends_with(&format!("`{pattern}`")), "{text}: {}", mistake.message);
    }
}

#[test]
fn regular_expressions_are_led_to_their_key() {
    for (text, regex, pattern) in [
        (r"^/items/\d+$", r"'/items/\d+'", Some("/items/*")),
        (r"^/items/(?P<id>\d+)$", r"'/items/(?P<id>\d+)'", Some("/items/{id}")),
        (r"^/items/(?<id>[^/]+)/?$", r"'/items/(?<id>[^/]+)/?'", Some("/items/{id}")),
        (r"/items/(?P<id>[0-9]+)", r"'/items/(?P<id>[0-9]+)'", Some("/items/{id}")),
        (r"/items/[0-9]+", r"'/items/[0-9]+'", Some("/items/*")),
        (r"/items/([^/]+)/x", r"'/items/([^/]+)/x'", Some("/items/*/x")),
        (r"/^\/items\/\d+$/", r"'/items/\d+'", Some("/items/*")),
        (r"^/api/", r"'/api/.*'", Some("/api/**")),
        (r"~ ^/api/v\d+/", r"'/api/v\d+/.*'", None),
        (r"/items/\d+", r"'/items/\d+'", Some("/items/*")),
        (r"/(items|orders)/.+", r"'/(items|orders)/.+'", None),
        (r"/items$", r"'/items'", Some("/items")),
        (r"^(?!/health).*$", "", None),
        (r"/it's\d", "", None),
    ] {
        let mistake = check(text).unwrap_or_else(|| panic!("{text} passes"));
        assert!(mistake.message.contains("`path_regex`") || !regex.is_empty(), "{text}: {}", mistake.message);
        assert_eq!(
            mistake.message.contains("path_regex = "),
            !regex.is_empty(),
            "{text}: {}",
            mistake.message
        );
        assert!(mistake.message.contains(regex), "{text}: {}", mistake.message);
        let told = mistake.message.split_once("path = \"").and_then(|(_, path)| path.strip_suffix("\"`"));
        assert_eq!(told, pattern, "{text}: {}", mistake.message);
    }
}

#[test]
fn what_is_written_so_in_real_paths_passes() {
    for text in [
        "/items/{id}",
        "/items/{id}/**",
        "/files/*.json",
        "/a*b/{x}-{y}.{z}",
        "/v1/documents:batchGet",
        "/v1/items/{id}:cancel",
        "/Customers('ALFKI')",
        "/$batch",
        "/$metadata/x",
        "/a;v=1/b,c/@me/~you/!x",
        "/**/_bulk",
        "/*/_search",
        "/report.*",
        "/.well-known/x",
        "/a[1]",
        "/(group)/x",
        "/a+b",
        "/50%25",
        "/",
        "",
        "items",
    ] {
        assert!(check(text).is_none(), "{text}: {:?}", check(text));
    }
}

proptest! {
    #[test]
    fn whatever_is_advised_is_a_pattern_that_is_advised_nothing(text in "/?[a-b:<>{}\\[\\].*/(?P)$^|%s ]{0,16}|\\PC{0,20}") {
        let Some(mistake) = check(&text) else { return Ok(()) };
        prop_assert!(text.get(mistake.at.clone()).is_some(), "{:?}", mistake);
        if let Some((_, pattern)) = mistake.message.rsplit_once("write `/") {
            let pattern = format!("/{}", pattern.trim_end_matches('`'));
            prop_assert!(PathPattern::parse(&pattern).is_ok() && check(&pattern).is_none(), "{} of {}", pattern, text);
        }
    }
}
