//! Maps a request to its response.

use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;

use super::body::SampleBody;
use super::connection::Upgrade;
use super::response::{HandlerResult, Problem, empty};
use super::routes::{self, Route};
use super::{Demo, items, orders, pages, stats, streams, users, websocket};

/// Responds to one request, and counts it as it arrives.
pub(super) async fn respond(
    demo: &Demo,
    upgrade: &Upgrade,
    request: Request<Incoming>,
) -> Response<SampleBody> {
    let found = routes::find(request.uri().path());
    demo.stats().requests.add(found.map(|(route, _)| route), request.method());
    match route(demo, upgrade, found, request).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

async fn route(
    demo: &Demo,
    upgrade: &Upgrade,
    found: Option<(Route, Option<u64>)>,
    request: Request<Incoming>,
) -> HandlerResult {
    let Some((route, number)) = found else {
        return Err(Problem::new(StatusCode::NOT_FOUND, "There is no such route; GET / lists them."));
    };
    if !route.allows(request.method()) {
        let allow = HeaderValue::from_static(route.allow());
        if *request.method() == Method::OPTIONS {
            let mut response = empty(StatusCode::NO_CONTENT);
            response.headers_mut().insert(header::ALLOW, allow);
            return Ok(response);
        }
        let problem =
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, format!("This route takes {}.", route.allow()));
        return Err(problem.with(header::ALLOW, allow));
    }
    let number = || {
        number
            .ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "The last part of the path is not a number."))
    };
    match route {
        Route::Index => pages::index(&request),
        Route::Register => users::register(demo, request).await,
        Route::Login => users::login(demo, request).await,
        Route::Me => users::me(demo, &request),
        Route::Items if *request.method() == Method::POST => items::create(demo, request).await,
        Route::Items => Ok(items::list(demo)),
        Route::Item => items::one(demo, number()?, request).await,
        Route::Orders if *request.method() == Method::POST => orders::create(demo, request).await,
        Route::Orders => Ok(orders::list(demo)),
        Route::Order => orders::one(demo, number()?, &request),
        Route::Page => pages::page(number()?, &request),
        Route::Slow => streams::slow(&request).await,
        Route::Bytes => streams::bytes(number()?, &request),
        Route::Echo => Ok(streams::echo(request)),
        Route::Events => streams::events(&request),
        Route::WebSocket => websocket::accept(upgrade, request),
        Route::Stats => Ok(stats::show(demo)),
        Route::Redirect => pages::redirect(&request),
        Route::Cookie => pages::cookie(&request),
    }
}
