//! Pages for browsers and scrapers: the index, the linked pages, a redirect and a cookie.

use std::fmt::Write as _;

use http::{HeaderValue, Request, StatusCode, header};
use serde_json::{Map, json};

use super::request::host;
use super::response::{HandlerResult, Problem, empty, html, json, value};
use super::routes::Route;
use crate::model::text_of;

/// The number of linked pages.
const LAST: u64 = 50;

/// `GET /`.
pub(super) fn index<B>(request: &Request<B>) -> HandlerResult {
    let accept = request.headers().get(header::ACCEPT).map(|accept| text_of(accept.as_bytes()));
    let mut response = if accept.is_some_and(|accept| accept.contains("text/html")) {
        let mut rows = String::new();
        for route in Route::ALL {
            let (template, allow, about) = (route.template(), route.allow(), route.about());
            let _ = writeln!(rows, "<tr><td><code>{template}</code><td>{allow}<td>{about}");
        }
        html(format!(
            "<!doctype html>\n<html lang=\"en\">\n<title>The fracas sample API</title>\n\
             <h1>The fracas sample API</h1>\n<p>Try <a href=\"/items/1\">an item</a> or \
             <a href=\"/pages/1\">a page</a>.\n<table>\n{rows}</table>\n"
        ))
    } else {
        let about = |route: Route| {
            let about = json!({"methods": route.allow(), "about": route.about()});
            (route.template().to_owned(), about)
        };
        let routes: Map<_, _> = Route::ALL.into_iter().map(about).collect();
        json(StatusCode::OK, json!({"name": "The fracas sample API", "routes": routes}).to_string())
    };
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept"));
    Ok(response)
}

/// `GET /pages/{n}`. Some links are relative and some absolute, as on real sites: a proxy in front
/// shows whether it keeps clients from escaping it.
pub(super) fn page<B>(n: u64, request: &Request<B>) -> HandlerResult {
    if !(1..=LAST).contains(&n) {
        return Err(Problem::new(StatusCode::NOT_FOUND, format!("There are pages 1 to {LAST}.")));
    }
    let host = host(request)?;
    let mut links = String::new();
    if n > 1 {
        let _ = writeln!(links, "<a rel=\"prev\" href=\"/pages/{}\">previous</a>", n - 1);
    }
    if n < LAST {
        let _ = writeln!(links, "<a rel=\"next\" href=\"/pages/{}\">next</a>", n + 1);
    }
    let (item, far) = ((n - 1) % 10 + 1, (n * 7) % LAST + 1);
    Ok(html(format!(
        "<!doctype html>\n<html lang=\"en\">\n<title>Page {n}</title>\n\
         <link rel=\"canonical\" href=\"http://{host}/pages/{n}\">\n<h1>Page {n} of {LAST}</h1>\n{links}\
         <a href=\"http://{host}/items/{item}\">item {item}</a>\n\
         <a href=\"http://{host}/pages/{far}\">page {far}</a>\n"
    )))
}

/// `GET /redirect`.
pub(super) fn redirect<B>(request: &Request<B>) -> HandlerResult {
    let location = value(format!("http://{}/items/1", host(request)?))?;
    let mut response = empty(StatusCode::FOUND);
    response.headers_mut().insert(header::LOCATION, location);
    Ok(response)
}

/// `GET /cookie`.
pub(super) fn cookie<B>(request: &Request<B>) -> HandlerResult {
    let cookie = value(format!("flavour=oatmeal; Domain={}; Path=/", without_port(host(request)?)))?;
    let mut response = json(StatusCode::OK, r#"{"flavour":"oatmeal"}"#);
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(response)
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_a_host_without_its_port() {
        for (host, expected) in [
            ("shop.test", "shop.test"),
            ("127.0.0.1:4090", "127.0.0.1"),
            ("[::1]:80", "[::1]"),
            ("[::1]", "[::1]"),
        ] {
            assert_eq!(without_port(host), expected, "{host}");
        }
    }
}
