//! OpenAPI 3.0 and 3.1: operations with the conflicts that they declare.

use http::Method;
use serde_json::Value as Json;

use super::operation::{CONFLICTS, DescribedOperation, Refusal, VERSION_NAMES, is_key_header};
use super::{DraftError, Service, path};

/// References that lead to references at most.
const MOST_STEPS: usize = 16;

/// Fields of a request's body that are looked at.
const MOST_FIELDS: usize = 1_000;

const METHODS: [(&str, Method); 5] = [
    ("get", Method::GET),
    ("post", Method::POST),
    ("put", Method::PUT),
    ("patch", Method::PATCH),
    ("delete", Method::DELETE),
];

/// Reads a description.
pub(super) fn read(tree: &Json) -> Result<Service, DraftError> {
    let version = tree.get("openapi").and_then(Json::as_str).unwrap_or_default();
    if !version.starts_with("3.") {
        return Err(DraftError::new(
            format!("OpenAPI {} is not known, only 3", version.chars().take(20).collect::<String>()),
            "save the description as OpenAPI 3.0 or 3.1",
        ));
    }
    let description = Description { tree };
    let mut service = Service {
        kind: "an OpenAPI description",
        title: text(tree.pointer("/info/title")),
        url: text(tree.pointer("/servers/0/url")).filter(|url| url.starts_with("http") && !url.contains('{')),
        operations: Vec::new(),
        left_out: 0,
    };
    for (template, item) in tree.get("paths").and_then(Json::as_object).into_iter().flatten() {
        let item = description.resolved(item);
        let Some(pattern) = path::of_template(template) else {
            service.left_out += METHODS.iter().filter(|(name, _)| item.get(*name).is_some()).count();
            continue;
        };
        let is_readable = item.get("get").is_some();
        for (name, method) in METHODS {
            let Some(operation) = item.get(name) else { continue };
            let mut operation = description.operation(method, &pattern, item, operation);
            operation.is_readable = is_readable;
            service.operations.extend(operation.is_of_interest().then_some(operation));
        }
    }
    Ok(service)
}

struct Description<'d> {
    tree: &'d Json,
}

impl<'d> Description<'d> {
    /// The value behind `$ref`, within this description.
    fn resolved(&self, mut value: &'d Json) -> &'d Json {
        for _ in 0..MOST_STEPS {
            let Some(pointer) = value.get("$ref").and_then(Json::as_str) else { return value };
            match pointer.strip_prefix('#').and_then(|pointer| self.tree.pointer(pointer)) {
                Some(target) => value = target,
                None => return &Json::Null,
            }
        }
        &Json::Null
    }

    fn operation(
        &self,
        method: Method,
        pattern: &str,
        item: &'d Json,
        operation: &'d Json,
    ) -> DescribedOperation {
        let id = text(operation.get("operationId"));
        let origin = match &id {
            Some(id) => format!("operationId {id}"),
            None => format!("{} {pattern}", method.as_str().to_ascii_lowercase()),
        };
        let mut found = DescribedOperation::new(method, pattern.to_owned(), origin);
        found.id = id;
        let lists = [item.get("parameters"), operation.get("parameters")];
        for parameter in lists.into_iter().flatten().filter_map(Json::as_array).flatten() {
            self.parameter(self.resolved(parameter), &mut found);
        }
        for (status, response) in operation.get("responses").and_then(Json::as_object).into_iter().flatten() {
            self.response(status, self.resolved(response), &mut found);
        }
        if found.version.is_none() && found.is_write() {
            found.version = self.version_in_body(operation).map(|field| format!("body:/{field}"));
        }
        found
    }

    fn parameter(&self, parameter: &'d Json, found: &mut DescribedOperation) {
        let place = parameter.get("in").and_then(Json::as_str).unwrap_or_default();
        let Some(name) = parameter.get("name").and_then(Json::as_str) else { return };
        match place {
            "header" if name.eq_ignore_ascii_case("if-match") => {
                found.version = Some("header:if-match".to_owned());
            }
            "header" if is_key_header(name) => found.key_header = Some(name.to_ascii_lowercase()),
            "query" if VERSION_NAMES.contains(&name) && found.is_write() => {
                found.version.get_or_insert(format!("query:{name}"));
            }
            _ => {}
        }
    }

    fn response(&self, status: &str, response: &'d Json, found: &mut DescribedOperation) {
        let Some(status) = status.parse::<u16>().ok().filter(|status| CONFLICTS.contains(status)) else {
            return;
        };
        let words = text(response.get("description")).unwrap_or_default();
        let has_wait = response
            .get("headers")
            .and_then(Json::as_object)
            .is_some_and(|headers| headers.keys().any(|name| name.eq_ignore_ascii_case("retry-after")));
        let origin = format!("its response {status}");
        let retry_after = has_wait.then_some(1);
        found.refusals.insert(status, Refusal { words, is_description: true, origin, retry_after });
    }

    /// The field of a request's JSON body that holds a version.
    fn version_in_body(&self, operation: &'d Json) -> Option<&'static str> {
        let body = self.resolved(operation.get("requestBody")?);
        let (_, content) =
            body.get("content")?.as_object()?.iter().find(|(media, _)| media.contains("json"))?;
        let schema = self.resolved(content.get("schema")?);
        let parts = schema.get("allOf").and_then(Json::as_array).into_iter().flatten();
        let schemas = parts.map(|part| self.resolved(part)).chain([schema]);
        let fields = schemas.filter_map(|schema| schema.get("properties")?.as_object());
        let mut names = fields.flat_map(|fields| fields.keys()).take(MOST_FIELDS);
        names.find_map(|name| VERSION_NAMES.into_iter().find(|version| version == name))
    }
}

fn text(value: Option<&Json>) -> Option<String> {
    value.and_then(Json::as_str).map(str::to_owned)
}
