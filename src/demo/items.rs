//! Items: versioned JSON objects.

use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use serde_json::{Map, Value};

use super::Demo;
use super::body::SampleBody;
use super::preconditions::{Condition, evaluate};
use super::request::{object, parse, read};
use super::response::{HandlerResult, Problem, empty, json, value};
use super::routes::Route;
use super::shop::{Shop, no_item};
use super::table::SampleRow;

/// Effect of a request on an item.
enum Write {
    /// `PUT`: the item becomes this, whether there was one or not.
    Replace(Map<String, Value>),
    /// `PATCH`: a JSON merge patch (RFC 7396).
    Merge(Value),
    /// `DELETE`.
    Remove,
}

/// `GET /items`.
pub(super) fn list(demo: &Demo) -> Response<SampleBody> {
    let pieces = demo.shop().items.pieces();
    json(StatusCode::OK, "").map(|_| SampleBody::pieces(pieces))
}

/// `POST /items`.
pub(super) async fn create(demo: &Demo, request: Request<Incoming>) -> HandlerResult {
    let members = object(parse(&read(request.into_body()).await?)?)?;
    let row = demo.shop().items.add(members)?;
    demo.stats().writes.add(Some(Route::Items), &Method::POST);
    created("/items", row)
}

/// All methods of `/items/{id}`.
pub(super) async fn one(demo: &Demo, id: u64, request: Request<Incoming>) -> HandlerResult {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        let row = demo.shop().items.get(id).cloned();
        return get(id, &request, row);
    }
    let (head, body) = request.into_parts();
    let write = match head.method {
        Method::DELETE => Write::Remove,
        Method::PATCH => Write::Merge(parse(&read(body).await?)?),
        _ => Write::Replace(object(parse(&read(body).await?)?)?),
    };
    let response = apply(&mut demo.shop(), id, &head.method, &head.headers, write)?;
    demo.stats().writes.add(Some(Route::Item), &head.method);
    Ok(response)
}

fn get<B>(id: u64, request: &Request<B>, row: Option<SampleRow>) -> HandlerResult {
    let row = row.ok_or_else(|| no_item(id, StatusCode::NOT_FOUND))?;
    match evaluate(request.method(), request.headers(), Some(&row.etag)) {
        Condition::Holds => Ok(show(StatusCode::OK, row)),
        Condition::Failed => Err(stale()),
        Condition::NotModified => {
            let mut response = empty(StatusCode::NOT_MODIFIED);
            response.headers_mut().insert(header::ETAG, row.etag);
            Ok(response)
        }
    }
}

/// Applies a write, unless its conditions fail. They count only where the write would otherwise
/// succeed (RFC 9110 §13.2.1), so a missing item is a 404 and an ordered one a 409 before a 412.
fn apply(shop: &mut Shop, id: u64, method: &Method, headers: &HeaderMap, write: Write) -> HandlerResult {
    let current = shop.items.get(id).cloned();
    match (&write, &current) {
        (Write::Merge(_) | Write::Remove, None) => return Err(no_item(id, StatusCode::NOT_FOUND)),
        (Write::Remove, Some(_)) => shop.check_unordered(id)?,
        _ => {}
    }
    if evaluate(method, headers, current.as_ref().map(|row| &row.etag)) != Condition::Holds {
        return Err(stale());
    }
    match (write, current) {
        (Write::Remove, _) => shop.remove_item(id).map(|()| empty(StatusCode::NO_CONTENT)),
        (Write::Replace(members), Some(_)) => Ok(show(StatusCode::OK, shop.items.put(id, members)?)),
        (Write::Replace(members), None) => created("/items", shop.items.put(id, members)?),
        (Write::Merge(patch), current) => {
            let mut members = current.map_or(Ok(Value::Null), |row| row.members())?;
            merge(&mut members, patch);
            Ok(show(StatusCode::OK, shop.items.put(id, object(members)?)?))
        }
    }
}

/// Applies a JSON merge patch (RFC 7396 §2). The depth is that of the deeper one of two parsed
/// documents, which the parser bounds at 128.
fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    if let Value::Object(members) = target {
        for (name, value) in patch {
            if value.is_null() {
                members.remove(&name);
            } else {
                merge(members.entry(name).or_insert(Value::Null), value);
            }
        }
    }
}

fn stale() -> Problem {
    Problem::new(
        StatusCode::PRECONDITION_FAILED,
        "The item is not in the version that the request asks for; read it again.",
    )
}

/// The response for a created row of the collection at `path`.
pub(super) fn created(path: &str, row: SampleRow) -> HandlerResult {
    let location = value(format!("{path}/{}", row.id))?;
    let mut response = show(StatusCode::CREATED, row);
    response.headers_mut().insert(header::LOCATION, location);
    Ok(response)
}

/// A response with a row and its entity tag.
pub(super) fn show(status: StatusCode, row: SampleRow) -> Response<SampleBody> {
    let mut response = json(status, row.body);
    response.headers_mut().insert(header::ETAG, row.etag);
    response
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_examples_of_rfc_7396_merge() {
        let cases = [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"a": "b"}), json!(["c"]), json!(["c"])),
            (json!({"a": "foo"}), json!(null), json!(null)),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ];
        for (mut target, patch, expected) in cases {
            let case = format!("{target} + {patch}");
            merge(&mut target, patch);
            assert_eq!(target, expected, "{case}");
        }
    }

    #[test]
    fn a_write_is_applied_when_its_conditions_hold() {
        type Headers = &'static [(&'static str, &'static str)];
        type Step = (Method, u64, Headers, Value, u16, Option<&'static str>);
        let steps: [Step; 16] = [
            (Method::PUT, 1, &[], json!({"name": "lamp"}), 200, Some("\"2\"")),
            (Method::PUT, 1, &[("if-match", "\"1\"")], json!({}), 412, None),
            (Method::PUT, 1, &[("if-match", "\"2\"")], json!({}), 200, Some("\"3\"")),
            (Method::PATCH, 1, &[("if-match", "\"2\"")], json!({}), 412, None),
            (Method::PATCH, 1, &[("if-match", "*")], json!({"a": 1}), 200, Some("\"4\"")),
            (Method::PATCH, 1, &[], json!([1]), 422, None),
            (Method::PATCH, 99, &[("if-match", "*")], json!({}), 404, None),
            (Method::PUT, 99, &[("if-match", "*")], json!({}), 412, None),
            (Method::PUT, 99, &[("if-none-match", "*")], json!({}), 201, Some("\"1\"")),
            (Method::PUT, 99, &[("if-none-match", "*")], json!({}), 412, None),
            (Method::DELETE, 1, &[("if-match", "\"3\"")], json!(null), 412, None),
            (Method::DELETE, 1, &[("if-match", "\"4\"")], json!(null), 204, None),
            (Method::DELETE, 1, &[("if-match", "\"4\"")], json!(null), 404, None),
            (Method::PUT, 1, &[], json!({}), 201, Some("\"5\"")),
            (Method::PUT, 0, &[], json!({}), 404, None),
            (Method::DELETE, 2, &[("if-match", "\"9\"")], json!(null), 409, None),
        ];
        let mut shop = Shop::new();
        assert!(shop.place(2).is_ok());
        for (method, id, headers, body, status, etag) in &steps {
            let mut map = HeaderMap::new();
            for (name, value) in *headers {
                map.append(*name, value.parse().unwrap());
            }
            let write = match *method {
                Method::PUT => Write::Replace(object(body.clone()).unwrap()),
                Method::PATCH => Write::Merge(body.clone()),
                _ => Write::Remove,
            };
            let response = apply(&mut shop, *id, method, &map, write).unwrap_or_else(Problem::into_response);
            let case = format!("{method} {id} {headers:?} {body}");
            assert_eq!(response.status().as_u16(), *status, "{case}");
            assert_eq!(response.headers().get("etag").map(|etag| etag.to_str().unwrap()), *etag, "{case}");
        }
    }
}
