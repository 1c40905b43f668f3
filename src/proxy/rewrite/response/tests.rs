use super::*;
use crate::rules::{Authority, Scheme};

fn upstream(scheme: Scheme, host: &str, port: u16, base: &str) -> UpstreamUrl {
    UpstreamUrl { scheme, authority: Authority { host: host.into(), port }, base_path: base.into() }
}

fn front(host: &'static str) -> Front {
    Front { host: Some(HeaderValue::from_static(host)), forwarded: None, scheme: Scheme::Http }
}

/// What becomes of one header line.
fn through(line: &[u8], upstream: &UpstreamUrl, front: &Front) -> Vec<u8> {
    let colon = line.iter().position(|byte| *byte == b':').expect("a header");
    let name = HeaderName::from_bytes(&line[..colon]).expect("a name");
    let mut headers = HeaderMap::new();
    headers.insert(&name, HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).expect("a value"));
    response(&mut headers, upstream, front);
    headers.get(&name).map(|value| value.as_bytes().to_vec()).unwrap_or_default()
}

fn check(upstream: &UpstreamUrl, front: &Front, table: &[(&[u8], &[u8])]) {
    for (from, to) in table {
        let became = through(from, upstream, front);
        assert_eq!(
            became.escape_ascii().to_string(),
            to.escape_ascii().to_string(),
            "{}",
            from.escape_ascii()
        );
    }
}

#[test]
fn references_to_the_upstream_lead_through_the_proxy_whatever_their_bytes() {
    check(
        &upstream(Scheme::Http, "api.test", 8080, ""),
        &front("front.test:4090"),
        &[
            (b"Location: http://api.test:8080/a?b#c", b"http://front.test:4090/a?b#c"),
            (b"Location: HTTP://API.TEST:8080/a", b"http://front.test:4090/a"),
            (b"Location: http://api.test.:8080/a", b"http://front.test:4090/a"),
            (b"Location: http://api.test:8080", b"http://front.test:4090/"),
            (b"Location: http://api.test:8080?a", b"http://front.test:4090/?a"),
            (b"Location: //api.test:8080/a", b"http://front.test:4090/a"),
            (b"Location: /\\api.test:8080/a", b"http://front.test:4090/a"),
            (b"Location: https://api.test:8080/a", b"http://front.test:4090/a"),
            (b"Location: http://me@api.test:8080/a", b"http://me@front.test:4090/a"),
            (b"Location: http://api.test:8080/caf\xc3\xa9", b"http://front.test:4090/caf\xc3\xa9"),
            (b"Location: http://api.test:8080/caf\xe9?\xff", b"http://front.test:4090/caf\xe9?\xff"),
            (b"Content-Location: http://api.test:8080/\xe9", b"http://front.test:4090/\xe9"),
            (b"Operation-Location: http://api.test:8080/ops/1", b"http://front.test:4090/ops/1"),
            (b"Azure-AsyncOperation: http://api.test:8080/ops/1", b"http://front.test:4090/ops/1"),
            (b"X-Next-Page: http://api.test:8080/a", b"http://front.test:4090/a"),
            (b"X-Socket: ws://api.test:8080/a", b"ws://front.test:4090/a"),
            (b"Access-Control-Allow-Origin: http://api.test:8080", b"http://front.test:4090"),
            (b"Location: http://api.test/a", b"http://api.test/a"),
            (b"Location: http://other.test:8080/a", b"http://other.test:8080/a"),
            (b"Location: http://api.test:8080@other.test/a", b"http://api.test:8080@other.test/a"),
            (b"Location: http://api.test.evil:8080/a", b"http://api.test.evil:8080/a"),
            (b"Location: /caf\xc3\xa9", b"/caf\xc3\xa9"),
            (b"Location: a", b"a"),
            (b"X-Note: see http://api.test:8080/a", b"see http://api.test:8080/a"),
            (b"Access-Control-Allow-Origin: http://other.test", b"http://other.test"),
        ],
    );
}

#[test]
fn a_base_path_is_stripped_from_what_names_the_upstream_or_the_proxy() {
    check(
        &upstream(Scheme::Https, "api.test", 443, "/v1"),
        &front("front.test:4090"),
        &[
            (b"Location: https://api.test/v1/a", b"http://front.test:4090/a"),
            (b"Location: https://api.test:443/v1", b"http://front.test:4090/"),
            (b"Location: https://api.test/v1#a", b"http://front.test:4090/#a"),
            (b"Location: /v1/caf\xe9", b"/caf\xe9"),
            (b"Location: /v1?a=b", b"/?a=b"),
            (b"Location: /v10/a", b"/v10/a"),
            (b"Location: https://api.test/other", b"https://api.test/other"),
            (b"Location: http://front.test:4090/v1/login", b"http://front.test:4090/login"),
            (b"Location: https://FRONT.test:4090/v1/login", b"http://FRONT.test:4090/login"),
            (b"Location: https://front.test/v1/login", b"http://front.test/login"),
            (b"Location: //front.test:4090/v1/login", b"//front.test:4090/login"),
            (b"Location: https://front.test:4090/other", b"http://front.test:4090/other"),
            (b"Location: http://front.test:4090/other", b"http://front.test:4090/other"),
            (b"Location: http://front.test:4091/v1/a", b"http://front.test:4091/v1/a"),
            (b"Link: </v1/a>; rel=next", b"</a>; rel=next"),
            (b"Access-Control-Allow-Origin: https://api.test", b"http://front.test:4090"),
            (b"X-Path: /v1/a", b"/v1/a"),
        ],
    );
}

#[test]
fn a_trusted_peers_word_says_how_clients_know_the_proxy() {
    let mut headers = HeaderMap::new();
    for (name, value) in
        [("host", "10.0.0.1:4090"), ("x-forwarded-host", "shop.test, inner"), ("x-forwarded-proto", "https")]
    {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let upstream = upstream(Scheme::Http, "up.test", 80, "/api");
    check(
        &upstream,
        &Front::of(&headers, Scheme::Http, true),
        &[
            (b"Location: http://up.test/api/a", b"https://shop.test/a"),
            (b"Location: https://shop.test/api/a", b"https://shop.test/a"),
        ],
    );
    check(
        &upstream,
        &Front::of(&headers, Scheme::Http, false),
        &[
            (b"Location: http://up.test/api/a", b"http://10.0.0.1:4090/a"),
            (b"Location: https://shop.test/api/a", b"https://shop.test/api/a"),
        ],
    );
}

#[test]
fn addresses_are_compared_by_value_and_this_machines_names_are_one() {
    for host in ["::1", "127.0.0.1", "localhost"] {
        check(
            &upstream(Scheme::H2c, host, 8080, ""),
            &front("f:1"),
            &[
                (b"Location: http://[::1]:8080/a", b"http://f:1/a"),
                (b"Location: http://[0:0:0:0:0:0:0:1]:8080/a", b"http://f:1/a"),
                (b"Location: http://localhost:8080/a", b"http://f:1/a"),
                (b"Location: http://[::ffff:127.0.0.1]:8080/a", b"http://f:1/a"),
                (b"Location: http://localhost:8081/a", b"http://localhost:8081/a"),
            ],
        );
    }
    check(
        &upstream(Scheme::Http, "2001:db8::7", 80, ""),
        &front("f:1"),
        &[
            (b"Location: http://[2001:DB8:0::0007]/a", b"http://f:1/a"),
            (b"Location: http://[2001:db8::8]/a", b"http://[2001:db8::8]/a"),
        ],
    );
}

#[test]
fn every_form_of_an_address_is_known_in_every_header() {
    const FORMS: [&str; 9] = [
        "127.1",
        "127.0.1",
        "0x7f.1",
        "0X7F.0.0.0x1",
        "0177.0.0.1",
        "2130706433",
        "0x7f000001",
        "017700000001",
        "127%2e0.0.1",
    ];
    for host in ["127.0.0.1", "localhost", "::1", "0x7f.1", "2130706433"] {
        let upstream = upstream(Scheme::Http, host, 8080, "");
        for form in FORMS.into_iter().chain(["LOCALHOST", "0.0.0.0", "0", "[::]", "[::1]"]) {
            for (line, became) in [
                ("Location: http://UP/a", "http://f:1/a"),
                ("Content-Location: //UP/a", "http://f:1/a"),
                ("Operation-Location: http://UP/a", "http://f:1/a"),
                ("Azure-AsyncOperation: http://UP/a", "http://f:1/a"),
                ("SourceMap: http://UP/a", "http://f:1/a"),
                ("Link: <http://UP/a>; anchor=\"http://UP/b\"", "<http://f:1/a>; anchor=\"http://f:1/b\""),
                ("Refresh: 1; url=http://UP/a", "1; url=http://f:1/a"),
                ("Access-Control-Allow-Origin: http://UP", "http://f:1"),
                ("Timing-Allow-Origin: http://UP", "http://f:1"),
                ("X-Next: http://UP/a", "http://f:1/a"),
            ] {
                let line = line.replace("UP", &format!("{form}:8080"));
                check(&upstream, &front("f:1"), &[(line.as_bytes(), became.as_bytes())]);
            }
        }
    }
    for form in FORMS {
        let line = format!("Set-Cookie: a=b; Domain={form}");
        check(&upstream(Scheme::Http, "127.0.0.1", 80, ""), &front("f:1"), &[(line.as_bytes(), b"a=b")]);
    }
    check(
        &upstream(Scheme::Http, "10.0.0.5", 80, ""),
        &front("f:1"),
        &[
            (b"Location: http://10.5/a", b"http://f:1/a"),
            (b"Location: http://0xa.0.5/a", b"http://f:1/a"),
            (b"Location: http://10.6/a", b"http://10.6/a"),
            (b"Location: http://127.1/a", b"http://127.1/a"),
            (b"Location: http://10.5.evil/a", b"http://10.5.evil/a"),
        ],
    );
    // The proxy's own address, however the client and the upstream write it.
    let upstream = upstream(Scheme::Http, "up.test", 80, "/v1");
    check(
        &upstream,
        &front("0x7f.1:4090"),
        &[(b"Location: http://127.0.0.1:4090/v1/a", b"http://127.0.0.1:4090/a")],
    );
}

#[test]
fn each_url_of_a_list_is_rewritten() {
    check(
        &upstream(Scheme::Http, "up.test", 80, "/v1"),
        &front("f:1"),
        &[
            (b"X-Urls: http://up.test/v1/a, http://up.test/v1/b", b"http://f:1/a, http://f:1/b"),
            (b"X-Urls: http://up.test/v1/a,http://up.test/v1/b", b"http://f:1/a,http://f:1/b"),
            (b"X-Urls: http://up.test/v1/a http://up.test/v1/b", b"http://f:1/a http://f:1/b"),
            (b"X-Urls: http://up.test/v1/a ,\thttp://up.test/v1/b", b"http://f:1/a ,\thttp://f:1/b"),
            (b"X-Urls: http://up.test/v1, http://up.test/v1?x", b"http://f:1/, http://f:1/?x"),
            (b"X-Urls: http://else/a, http://up.test/v1/b", b"http://else/a, http://f:1/b"),
            (b"X-Urls: http://up.test/v1/a, http://else/b", b"http://f:1/a, http://else/b"),
            (b"X-Urls: wss://up.test:80/v1/a HTTP://UP.test/v1/\xe9", b"ws://f:1/a http://f:1/\xe9"),
            (b"X-Urls: http://up.test/v1/a,b;c, d", b"http://f:1/a,b;c, d"),
            (b"X-Urls: http://up.test/v1,b", b"http://up.test/v1,b"),
            (b"X-Urls: http://up.test/v1/a,", b"http://f:1/a,"),
            (b"X-Urls: http://up.test/v1/a?to=http://up.test/v1/b", b"http://f:1/a?to=http://up.test/v1/b"),
            (
                b"X-Urls: see http://up.test/v1/a, http://up.test/v1/b",
                b"see http://up.test/v1/a, http://up.test/v1/b",
            ),
            (b"Timing-Allow-Origin: http://else, http://up.test, *", b"http://else, http://f:1, *"),
            (b"Timing-Allow-Origin: null,http://up.test", b"null,http://f:1"),
            (b"Timing-Allow-Origin: http://up.test,http://up.test:80", b"http://f:1,http://f:1"),
            // A reference, in which a comma is a comma.
            (b"Location: http://up.test/v1/a,http://up.test/v1/b", b"http://f:1/a,http://up.test/v1/b"),
        ],
    );
}

#[test]
fn links_and_refreshes_are_rewritten_inside_their_values() {
    check(
        &upstream(Scheme::Http, "up", 80, ""),
        &front("f"),
        &[
            (
                b"Link: <http://up/a?page=2>; rel=\"next\", <http://up/a?page=9>; rel=\"last\"",
                b"<http://f/a?page=2>; rel=\"next\", <http://f/a?page=9>; rel=\"last\"",
            ),
            (b"Link: <http://else/a>; rel=next,<//up/\xe9>", b"<http://else/a>; rel=next,<http://f/\xe9>"),
            (
                b"Link: </a>; title=\"see <http://up/a>\"; anchor=\"http://up/b\"",
                b"</a>; title=\"see <http://up/a>\"; anchor=\"http://f/b\"",
            ),
            (b"Link: <http://up/a", b"<http://up/a"),
            (b"Refresh: 0; url=http://up/next", b"0; url=http://f/next"),
            (b"Refresh: 5;URL = 'http://up/a;b' ", b"5;URL = 'http://f/a;b'"),
            (b"Refresh: 5, \"http://up/\xe9\"", b"5, \"http://f/\xe9\""),
            (b"Refresh: 5", b"5"),
            (b"Refresh: 5; url", b"5; url"),
            (b"Refresh: 5; url=http://else/", b"5; url=http://else/"),
            (b"Alt-Svc: h2=\":443\"", b""),
            (b"Strict-Transport-Security: max-age=31536000", b""),
        ],
    );
}

#[test]
fn values_at_the_edges_are_read_as_clients_read_them() {
    check(
        &upstream(Scheme::Http, "up.test", 80, "/api"),
        &front("f:1"),
        &[
            (b"Location: http://up.test:80/api/a", b"http://f:1/a"),
            (b"Location: http://up.test:/api/a", b"http://f:1/a"),
            (b"Location: http://up.test:080/api/a", b"http://f:1/a"),
            (b"Location: https://up.test:80/api/a", b"http://f:1/a"),
            (b"Location: http://up.test:81/api/a", b"http://up.test:81/api/a"),
            (b"Location: HtTp://UP.tEsT/api", b"http://f:1/"),
            (b"Location: http://up.test./api/", b"http://f:1/"),
            (b"Location: http://me:pw@up.test/api/a", b"http://me:pw@f:1/a"),
            (b"Location: http://a@b@up.test/api/a", b"http://a@b@f:1/a"),
            (b"Location: http://up.test/apiary", b"http://up.test/apiary"),
            (b"Location: http://up.test/API/a", b"http://up.test/API/a"),
            (b"Location: /apiary", b"/apiary"),
            (b"Location: api/a", b"api/a"),
            (b"Location: ../a", b"../a"),
            (b"Location: ?q=http://up.test/api", b"?q=http://up.test/api"),
            (b"Location: //up.test/api//a", b"http://f:1//a"),
            (b"Location: http://up.test/api?next=http://up.test/api/b", b"http://f:1/?next=http://up.test/api/b"),
            (b"Location: http://xup.test/api/a", b"http://xup.test/api/a"),
            (b"Location: http://up.test.evil/api", b"http://up.test.evil/api"),
            (b"Location: http://up.test\\api/a", b"http://up.test\\api/a"),
            (b"Location: mailto:a@up.test", b"mailto:a@up.test"),
            (b"Location: http://up.test/api/\xff%2f", b"http://f:1/\xff%2f"),
            (
                b"Link: <http://up.test/api/a,b>; rel=next; title=\"a, <http://up.test/api/c>\", </api/d>; rel=prev",
                b"<http://f:1/a,b>; rel=next; title=\"a, <http://up.test/api/c>\", </d>; rel=prev",
            ),
            (b"Link: <http://up.test/api/\xe9>; rel=\"next\";title*=UTF-8''%e2", b"<http://f:1/\xe9>; rel=\"next\";title*=UTF-8''%e2"),
            (b"Link: <http://up.test/apiary>; rel=x,<a>;rel=y", b"<http://up.test/apiary>; rel=x,<a>;rel=y"),
            (b"Refresh: 1;url=\"http://up.test/api/a\"", b"1;url=\"http://f:1/a\""),
            (b"Refresh: 1; URL=/api/a", b"1; URL=/a"),
            (b"Operation-Location: http://up.test/api/ops/1?api-version=2", b"http://f:1/ops/1?api-version=2"),
            (b"Azure-AsyncOperation: HTTP://up.test/api/ops", b"http://f:1/ops"),
            (b"X-Docs: https://up.test:80/api/docs", b"http://f:1/docs"),
        ],
    );
}

#[test]
fn without_a_host_paths_lead_back() {
    let front = Front { host: None, forwarded: None, scheme: Scheme::Http };
    check(
        &upstream(Scheme::Http, "up", 80, ""),
        &front,
        &[
            (b"Location: http://up/a", b"/a"),
            (b"Location: http://up", b"/"),
            (b"Location: http://else/a", b"http://else/a"),
        ],
    );
}
