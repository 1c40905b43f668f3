//! One request and its response, route by route.

use super::Service;

/// A request line, headers and a body; the status, headers of the response (`""` is absent) and a
/// part of its body.
type Case = (
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static str,
    u16,
    &'static [(&'static str, &'static str)],
    &'static str,
);

const PROBLEM: (&str, &str) = ("content-type", "application/problem+json");
const JSON: (&str, &str) = ("content-type", "application/json");
const HTML: (&str, &str) = ("content-type", "text/html; charset=utf-8");

#[rustfmt::skip]
const CASES: &[Case] = &[
    ("GET /", &[], "", 200, &[JSON, ("vary", "accept")], "\"/items/{id}\""),
    ("GET /", &[("accept", "text/html,*/*;q=0.8")], "", 200, &[HTML], "<code>/items/{id}</code>"),
    ("GET /nowhere", &[], "", 404, &[PROBLEM], "\"status\":404"),
    ("GET /items/lamp", &[], "", 404, &[PROBLEM], "not a number"),
    ("DELETE /items", &[], "", 405, &[PROBLEM, ("allow", "GET, HEAD, POST")], ""),
    ("PUT /register", &[], "", 405, &[PROBLEM, ("allow", "POST")], ""),
    ("OPTIONS /items/1", &[], "", 204, &[("allow", "GET, HEAD, PUT, PATCH, DELETE")], ""),

    ("POST /register", &[], r#"{"username":"john_doe"}"#, 409, &[JSON], r#"{"error":"Username already exists."}"#),
    ("POST /register", &[], r#"{"username":"jane_smith"}"#, 409, &[JSON], "already exists"),
    ("POST /register", &[], r#"{"username":"ada"}"#, 201, &[JSON], r#"{"username":"ada"}"#),
    ("POST /register", &[], r#"{"username":"ada"}"#, 409, &[JSON], "already exists"),
    ("POST /register", &[], "{", 400, &[PROBLEM], "not JSON"),
    ("POST /register", &[], "{}", 400, &[PROBLEM], "username"),
    ("POST /login", &[], r#"{"username":"nobody"}"#, 401, &[PROBLEM], "no such user"),
    ("GET /me", &[], "", 401, &[PROBLEM, ("www-authenticate", "Cookie realm=\"demo\"")], ""),
    ("GET /me", &[("cookie", "session=0")], "", 401, &[PROBLEM], ""),

    ("GET /items", &[], "", 200, &[JSON], r#"[{"id":1,"name":"lamp","price_in_cents":2900,"rev":1},"#),
    ("GET /items/1", &[], "", 200, &[JSON, ("etag", "\"1\"")], r#"{"id":1,"name":"lamp""#),
    ("HEAD /items/1", &[], "", 200, &[JSON, ("etag", "\"1\""), ("content-length", "52")], ""),
    ("GET /items/1", &[("if-none-match", "\"1\"")], "", 304, &[("etag", "\"1\""), ("content-type", "")], ""),
    ("GET /items/1", &[("if-match", "\"2\"")], "", 412, &[PROBLEM], ""),
    ("GET /items/99", &[], "", 404, &[PROBLEM, ("etag", "")], "no item 99"),
    ("POST /items", &[], r#"{"name":"bed"}"#, 201, &[("location", "/items/11"), ("etag", "\"1\"")], r#"{"id":11,"name":"bed","rev":1}"#),
    // As `curl -d` sends it.
    ("POST /items", &[("content-type", "application/x-www-form-urlencoded")], "{}", 201, &[("location", "/items/12")], ""),
    ("POST /items", &[], "[]", 422, &[PROBLEM], "JSON object"),
    ("POST /items", &[], "name=bed", 400, &[PROBLEM], "not JSON"),
    ("POST /items", &[], "", 400, &[PROBLEM], "not JSON"),
    ("PUT /items/1", &[("if-match", "\"1\"")], r#"{"name":"torch"}"#, 200, &[("etag", "\"2\"")], r#"{"id":1,"name":"torch","rev":2}"#),
    ("PUT /items/1", &[("if-match", "\"1\"")], r#"{"name":"candle"}"#, 412, &[PROBLEM], "read it again"),
    ("PATCH /items/1", &[("if-match", "\"2\"")], r#"{"name":null,"lit":true}"#, 200, &[("etag", "\"3\"")], r#"{"id":1,"lit":true,"rev":3}"#),
    ("PUT /items/20", &[("if-none-match", "*")], "{}", 201, &[("location", "/items/20"), ("etag", "\"1\"")], ""),
    ("PUT /items/20", &[("if-none-match", "*")], "{}", 412, &[PROBLEM], ""),
    ("DELETE /items/20", &[], "", 204, &[("content-type", "")], ""),
    ("DELETE /items/20", &[], "", 404, &[PROBLEM], ""),

    ("POST /orders", &[], r#"{"item_id":2}"#, 201, &[("location", "/orders/1"), ("etag", "\"1\"")], r#"{"id":1,"item_id":2,"rev":1}"#),
    ("POST /orders", &[], r#"{"item_id":99}"#, 422, &[PROBLEM], "no item 99"),
    ("POST /orders", &[], "{}", 422, &[PROBLEM], "item_id"),
    ("POST /orders?ms=60001", &[], r#"{"item_id":2}"#, 400, &[PROBLEM], ""),
    ("POST /orders", &[("idempotency-key", "a"), ("idempotency-key", "b")], r#"{"item_id":2}"#, 400, &[PROBLEM], ""),
    ("GET /orders", &[], "", 200, &[JSON], r#"[{"id":1,"item_id":2,"rev":1}]"#),
    ("GET /orders/1", &[], "", 200, &[JSON], r#"{"id":1,"item_id":2,"rev":1}"#),
    ("DELETE /items/2", &[], "", 409, &[PROBLEM], "1 order refers to item 2"),
    ("DELETE /orders/1", &[], "", 204, &[], ""),
    ("GET /orders/1", &[], "", 404, &[PROBLEM], ""),
    ("DELETE /items/2", &[], "", 204, &[], ""),

    ("GET /pages/1", &[("host", "shop.test")], "", 200, &[HTML], "href=\"http://shop.test/items/1\""),
    ("GET /pages/1", &[], "", 200, &[HTML], "<a rel=\"next\" href=\"/pages/2\">"),
    ("GET /pages/50", &[], "", 200, &[HTML], "<a rel=\"prev\" href=\"/pages/49\">"),
    ("GET /pages/1", &[("host", "\"><script>")], "", 400, &[PROBLEM], ""),
    ("GET /pages/0", &[], "", 404, &[PROBLEM], ""),
    ("GET /pages/51", &[], "", 404, &[PROBLEM], ""),
    ("GET /redirect", &[("host", "shop.test:81")], "", 302, &[("location", "http://shop.test:81/items/1")], ""),
    ("GET /cookie", &[("host", "shop.test:81")], "", 200, &[("set-cookie", "flavour=oatmeal; Domain=shop.test; Path=/")], ""),

    ("GET /slow?ms=1", &[], "", 200, &[JSON], "{\"waited_ms\":1}"),
    ("GET /slow?ms=60001", &[], "", 400, &[PROBLEM], "0 to 60000"),
    ("GET /bytes/3", &[], "", 200, &[("content-length", "3"), ("transfer-encoding", "")], "\0\u{1}\u{2}"),
    ("GET /bytes/3?chunked=1", &[], "", 200, &[("content-length", ""), ("transfer-encoding", "chunked")], "\0\u{1}\u{2}"),
    ("HEAD /bytes/4294967296", &[], "", 200, &[("content-length", "4294967296")], ""),
    ("GET /bytes/4294967297", &[], "", 404, &[PROBLEM], ""),
    ("POST /echo", &[("content-type", "text/x-odd")], "hello", 200, &[("content-type", "text/x-odd"), ("content-length", "5")], "hello"),
    ("REPORT /echo", &[], "any", 200, &[("content-type", "application/octet-stream")], "any"),
    ("GET /echo", &[], "", 200, &[("content-length", "0")], ""),
    ("GET /events?n=2&ms=0", &[], "", 200, &[("content-type", "text/event-stream")], "id: 2\nevent: tick\ndata: {\"n\":2}\n\n"),
    ("GET /events?n=x", &[], "", 400, &[PROBLEM], ""),
    ("GET /ws", &[], "", 426, &[PROBLEM, ("upgrade", "websocket")], ""),
    ("GET /ws", &[("upgrade", "h2c"), ("connection", "upgrade"), ("sec-websocket-version", "13")], "", 426, &[PROBLEM], ""),
    ("GET /ws", &[("upgrade", "websocket"), ("connection", "upgrade"), ("sec-websocket-version", "8")], "", 426, &[PROBLEM, ("sec-websocket-version", "13")], ""),
    ("GET /ws", &[("upgrade", "websocket"), ("connection", "upgrade"), ("sec-websocket-version", "13")], "", 400, &[PROBLEM], "16 bytes"),
    ("GET /ws", &[("upgrade", "websocket"), ("connection", "upgrade"), ("sec-websocket-version", "13"), ("sec-websocket-key", "short")], "", 400, &[PROBLEM], "16 bytes"),
];

#[tokio::test]
async fn every_route_answers_as_documented() {
    let service = Service::start().await;
    let mut client = service.client().await;
    for (line, headers, body, status, expected, text) in CASES {
        let response = client.send(line, headers, body).await;
        let case = format!(
            "{line} {headers:?} {body}: {} {:?} {}",
            response.status,
            response.headers,
            response.text()
        );
        assert_eq!(response.status.as_u16(), *status, "{case}");
        for (name, value) in *expected {
            assert_eq!(response.header(name), *value, "{name} of {case}");
        }
        assert!(response.text().contains(text), "{case}");
        if line.starts_with("HEAD ") {
            assert!(response.body.is_empty(), "{case}");
        }
    }
    let stats = client.get("/stats").await.json();
    let writes = serde_json::json!({
        "POST /register": 1, "POST /items": 2, "PUT /items/{id}": 2, "PATCH /items/{id}": 1,
        "DELETE /items/{id}": 2, "POST /orders": 1, "DELETE /orders/{id}": 1,
    });
    assert_eq!(stats.get("writes"), Some(&writes));
    assert_eq!(stats.pointer("/requests/GET ~1stats"), Some(&1.into()));
    assert_eq!(stats.pointer("/requests/POST ~1orders"), Some(&5.into()));
    assert_eq!(stats.pointer("/requests/GET (unknown)"), Some(&1.into()));
}

#[tokio::test]
async fn every_page_links_to_its_neighbours_only() {
    let service = Service::start().await;
    let mut client = service.client().await;
    for n in 1..=50 {
        let page = client.get(&format!("/pages/{n}")).await;
        assert_eq!(page.text().contains(&format!("rel=\"prev\" href=\"/pages/{}\"", n - 1)), n > 1, "{n}");
        assert_eq!(page.text().contains(&format!("rel=\"next\" href=\"/pages/{}\"", n + 1)), n < 50, "{n}");
    }
}

#[tokio::test]
async fn a_login_gives_a_session_that_me_knows() {
    let service = Service::start().await;
    let mut client = service.client().await;
    let login = client.send("POST /login", &[], r#"{"username":"john_doe","password":"x"}"#).await;
    let (session, attributes) = login.header("set-cookie").split_once("; ").unwrap();
    assert_eq!(attributes, "HttpOnly; Path=/; SameSite=Lax");
    let me = client.send("GET /me", &[("cookie", session)], "").await;
    assert_eq!(me.text(), r#"{"username":"john_doe"}"#);
}
