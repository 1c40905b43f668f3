//! The routes: their paths, their methods, and their descriptions in the index.

use http::Method;

/// One route of the sample API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    Index,
    Register,
    Login,
    Me,
    Items,
    Item,
    Orders,
    Order,
    Page,
    Slow,
    Bytes,
    Echo,
    Events,
    WebSocket,
    Stats,
    Redirect,
    Cookie,
}

const ANY: &str = "any method";
const GET: &str = "GET, HEAD";
const POST: &str = "POST";

impl Route {
    /// Every route, in the order of the index.
    pub const ALL: [Route; 17] = [
        Route::Index,
        Route::Register,
        Route::Login,
        Route::Me,
        Route::Items,
        Route::Item,
        Route::Orders,
        Route::Order,
        Route::Page,
        Route::Slow,
        Route::Bytes,
        Route::Echo,
        Route::Events,
        Route::WebSocket,
        Route::Stats,
        Route::Redirect,
        Route::Cookie,
    ];

    /// The path, with its number in braces.
    pub fn template(self) -> &'static str {
        self.describe().0
    }

    /// The methods it takes, as an `Allow` header lists them.
    pub fn allow(self) -> &'static str {
        self.describe().1
    }

    /// Description for people.
    pub fn about(self) -> &'static str {
        self.describe().2
    }

    /// Whether it takes `method`.
    pub fn allows(self, method: &Method) -> bool {
        let allow = self.allow();
        allow == ANY || allow.split(", ").any(|allowed| allowed == method.as_str())
    }

    fn describe(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Route::Index => ("/", GET, "this list, as HTML or JSON by Accept"),
            Route::Register => ("/register", POST, "register {\"username\"}; a taken name is a 409"),
            Route::Login => ("/login", POST, "log in as {\"username\"}; gives a session cookie"),
            Route::Me => ("/me", GET, "the user of the session"),
            Route::Items => ("/items", "GET, HEAD, POST", "all items, or a new one"),
            Route::Item => (
                "/items/{id}",
                "GET, HEAD, PUT, PATCH, DELETE",
                "one item with its ETag; If-Match and If-None-Match are honoured",
            ),
            Route::Orders => {
                ("/orders", "GET, HEAD, POST", "all orders, or one for {\"item_id\"}; Idempotency-Key, ?ms=")
            }
            Route::Order => ("/orders/{id}", "GET, HEAD, DELETE", "one order"),
            Route::Page => ("/pages/{n}", GET, "linked HTML pages, 1 to 50"),
            Route::Slow => ("/slow", GET, "an answer after ?ms=1000"),
            Route::Bytes => ("/bytes/{n}", GET, "n bytes; ?chunked=1 leaves out the length"),
            Route::Echo => ("/echo", ANY, "the request's body"),
            Route::Events => ("/events", GET, "server-sent events, ?n=5&ms=100"),
            Route::WebSocket => ("/ws", "GET", "a WebSocket that echoes"),
            Route::Stats => ("/stats", GET, "requests seen and writes applied, per route"),
            Route::Redirect => ("/redirect", GET, "302 to /items/1 as an absolute URL"),
            Route::Cookie => ("/cookie", GET, "a cookie for the request's host"),
        }
    }
}

/// The route of a path and the number it ends in; the number is `None` when there is none to read.
pub(super) fn find(path: &str) -> Option<(Route, Option<u64>)> {
    let Some((folder, last)) = path.strip_prefix('/')?.split_once('/') else {
        return Route::ALL.into_iter().find(|route| route.template() == path).map(|found| (found, None));
    };
    let route = match folder {
        "items" => Route::Item,
        "orders" => Route::Order,
        "pages" => Route::Page,
        "bytes" => Route::Bytes,
        _ => return None,
    };
    (!last.is_empty() && !last.contains('/')).then(|| (route, number(last)))
}

/// A decimal number written the one way there is: a resource has one path.
fn number(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    plain.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_finds_its_route_and_number() {
        let cases = [
            ("/", Some((Route::Index, None))),
            ("/items", Some((Route::Items, None))),
            ("/items/7", Some((Route::Item, Some(7)))),
            ("/items/07", Some((Route::Item, None))),
            ("/items/+7", Some((Route::Item, None))),
            ("/items/lamp", Some((Route::Item, None))),
            ("/items/18446744073709551616", Some((Route::Item, None))),
            ("/items/{id}", Some((Route::Item, None))),
            ("/bytes/0", Some((Route::Bytes, Some(0)))),
            ("/items/", None),
            ("/items/7/", None),
            ("/items/7/8", None),
            ("//items", None),
            ("/nowhere", None),
            ("*", None),
            ("", None),
        ];
        for (path, expected) in cases {
            assert_eq!(find(path), expected, "{path}");
        }
    }

    #[test]
    fn every_route_is_found_by_its_own_template() {
        for route in Route::ALL {
            let path = route.template().replace("{id}", "1").replace("{n}", "1");
            assert_eq!(find(&path).map(|(found, _)| found), Some(route), "{path}");
        }
    }

    #[test]
    fn the_module_documentation_lists_every_route() {
        let documentation = include_str!("mod.rs");
        for route in Route::ALL {
            assert!(documentation.contains(route.template()), "{}", route.template());
        }
    }
}
