//! One compiled response: its status, its headers and its body.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

use super::details::detail;
use super::escape::Medium;
use super::text::{CompiledText, Compiler, Constants};
use super::times::RetryAfterValue;
use crate::matching::literal::restore;
use crate::model::{Facts, text_of};
use crate::rules::styles::{self, BulkWrite, RenderContext, ResponseShape};
use crate::rules::template::{Piece, TemplateMistake, TemplateScope, pieces};
use crate::rules::{ReplyBody, ReplyStyle, Rule};

/// Room for the headers that are added later: the marker, and those of CORS.
const SPARE_HEADERS: usize = 6;

#[derive(Clone)]
pub(super) struct ResponseVariant {
    when: Option<fn(&Facts<'_>) -> bool>,
    status: StatusCode,
    headers: Vec<(HeaderName, Value)>,
    body: Body,
}

#[derive(Clone)]
enum Value {
    Fixed(HeaderValue),
    Text {
        text: CompiledText,
        /// Whether the header is left out when nothing is written.
        optional: bool,
    },
    RetryAfter,
}

#[derive(Clone)]
enum Body {
    Fixed {
        body: Bytes,
        length: HeaderValue,
    },
    Text(CompiledText),
    Rows {
        before: CompiledText,
        row: CompiledText,
        after: CompiledText,
        rows: fn(&Facts<'_>) -> Vec<BulkWrite>,
    },
    /// The status allows no body (RFC 9110 §6.4.1).
    None,
}

/// The responses of `rule` under `status`, in the order they are tried.
pub(super) fn compile(
    rule: &Rule,
    status: StatusCode,
    wait: Option<RetryAfterValue>,
    scope: TemplateScope<'_>,
) -> Result<Vec<ResponseVariant>, Vec<TemplateMistake>> {
    let draft = Draft { rule, status, wait, scope };
    match &rule.reply.body {
        ReplyBody::Style(name) => {
            let style = name.style();
            (style.shapes)(rule.kind, status).into_iter().map(|shape| draft.shape(&shape, style)).collect()
        }
        ReplyBody::Text { text, style } => Ok(vec![draft.own(text, *style)?]),
    }
}

impl ResponseVariant {
    /// Whether it is the response to this request.
    pub(super) fn suits(&self, facts: &Facts<'_>) -> bool {
        self.when.is_none_or(|when| when(facts))
    }

    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    pub(super) fn render(&self, scene: &RenderContext<'_>, wait: Option<RetryAfterValue>) -> Response<Bytes> {
        let mut headers = HeaderMap::with_capacity(self.headers.len() + SPARE_HEADERS);
        for (name, value) in &self.headers {
            let value = match value {
                Value::Fixed(value) => value.clone(),
                Value::Text { text, optional } => match header_value(text, scene) {
                    Some(value) if !(*optional && value.is_empty()) => value,
                    _ => continue,
                },
                Value::RetryAfter => match wait {
                    Some(wait) => wait.header(scene.occasion),
                    None => continue,
                },
            };
            // Only fails beyond 24,576 headers, which no rules file has.
            let _ = headers.try_append(name, value);
        }
        let (body, length) = self.body.render(scene);
        if let Some(length) = length {
            headers.insert(CONTENT_LENGTH, length);
        }
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        *response.headers_mut() = headers;
        response
    }
}

impl Body {
    fn render(&self, scene: &RenderContext<'_>) -> (Bytes, Option<HeaderValue>) {
        let mut written = Vec::new();
        match self {
            Body::None => return (Bytes::new(), None),
            Body::Fixed { body, length } => return (body.clone(), Some(length.clone())),
            Body::Text(text) => text.write(scene, &mut written),
            Body::Rows { before, row, after, rows } => {
                before.write(scene, &mut written);
                for (at, each) in rows(scene.occasion.facts).iter().enumerate() {
                    if at > 0 {
                        written.push(b',');
                    }
                    row.write(&RenderContext { row: Some(each), ..*scene }, &mut written);
                }
                after.write(scene, &mut written);
            }
        }
        let length = HeaderValue::from(written.len());
        (Bytes::from(written), Some(length))
    }
}

fn header_value(text: &CompiledText, scene: &RenderContext<'_>) -> Option<HeaderValue> {
    let mut written = Vec::new();
    text.write(scene, &mut written);
    HeaderValue::from_maybe_shared(Bytes::from(written)).ok()
}

/// A rule's response under one status while it is compiled.
struct Draft<'d> {
    rule: &'d Rule,
    status: StatusCode,
    wait: Option<RetryAfterValue>,
    scope: TemplateScope<'d>,
}

impl Draft<'_> {
    /// A style's response.
    fn shape(
        &self,
        shape: &ResponseShape,
        style: &styles::Style,
    ) -> Result<ResponseVariant, Vec<TemplateMistake>> {
        let compiler = Compiler {
            words: style.words,
            fills: shape.fills,
            reason: Some(self.status.canonical_reason().unwrap_or("Refused")),
            ..self.compiler()
        };
        let mut headers = self.common_headers(shape.content_type);
        for (name, text) in shape.headers {
            let value = header(&compiler.compile(text, Medium::Header)?, true);
            headers.extend(value.map(|value| (HeaderName::from_static(name), value)));
        }
        let medium = Medium::of(shape.content_type);
        let body = match shape.body {
            styles::ShapeBody::Text(text) => fixed(compiler.compile(text, medium)?),
            styles::ShapeBody::Rows { before, row, after, rows } => Body::Rows {
                before: compiler.compile(before, medium)?,
                row: compiler.compile(row, medium)?,
                after: compiler.compile(after, medium)?,
                rows,
            },
        };
        self.finish(shape.when, shape.status.unwrap_or(self.status), headers, body)
    }

    /// The rule's own text.
    fn own(&self, text: &str, style: ReplyStyle) -> Result<ResponseVariant, Vec<TemplateMistake>> {
        let lent = content_type(text, style);
        let given = self.rule.reply.headers.iter().find(|(name, _)| *name == CONTENT_TYPE);
        let medium = given.map_or(Medium::of(lent), |(_, value)| Medium::of(&text_of(value.as_bytes())));
        let body = fixed(self.compiler().compile(text, medium)?);
        self.finish(None, self.status, self.common_headers(lent), body)
    }

    /// Puts the rule's own headers over the others.
    fn finish(
        &self,
        when: Option<fn(&Facts<'_>) -> bool>,
        status: StatusCode,
        mut headers: Vec<(HeaderName, Value)>,
        mut body: Body,
    ) -> Result<ResponseVariant, Vec<TemplateMistake>> {
        // How long the body is, is not a matter of opinion.
        let own = || {
            self.rule
                .reply
                .headers
                .iter()
                .filter(|(name, _)| *name != CONTENT_LENGTH && *name != TRANSFER_ENCODING)
        };
        headers.retain(|(name, _)| !own().any(|(over, _)| over == name));
        let compiler = self.compiler();
        for (name, value) in own() {
            let text = std::str::from_utf8(value.as_bytes()).ok().filter(|text| restore(text).is_ascii());
            let value = match text {
                Some(text) => header(&compiler.compile(text, Medium::Header)?, false),
                // Bytes beyond ASCII hold no placeholder that could be told for sure.
                None => Some(Value::Fixed(value.clone())),
            };
            headers.extend(value.map(|value| (name.clone(), value)));
        }
        if is_bodiless(status) {
            body = Body::None;
            headers.retain(|(name, _)| *name != CONTENT_TYPE);
        }
        Ok(ResponseVariant { when, status, headers, body })
    }

    fn common_headers(&self, content_type: &'static str) -> Vec<(HeaderName, Value)> {
        let mut headers = vec![
            (CONTENT_TYPE, Value::Fixed(HeaderValue::from_static(content_type))),
            (CACHE_CONTROL, Value::Fixed(HeaderValue::from_static("no-store"))),
        ];
        if let Some(wait) = self.wait {
            headers.push((RETRY_AFTER, wait.constant_header().map_or(Value::RetryAfter, Value::Fixed)));
        }
        headers
    }

    fn compiler(&self) -> Compiler<'_> {
        Compiler {
            scope: self.scope,
            constants: Constants {
                rule: &self.rule.name,
                kind: self.rule.kind,
                phase: self.rule.phase(),
                status: self.status.as_u16(),
                detail: detail(self.rule.kind, self.status),
                wait: self.wait.and_then(RetryAfterValue::constant),
                limit: self.rule.trigger.limit().map(|limit| limit.get().into()),
            },
            words: &[],
            fills: &[],
            reason: None,
        }
    }
}

/// Whether a response of this status has no body (RFC 9110 §6.4.1, and §15.3.6 for 205).
fn is_bodiless(status: StatusCode) -> bool {
    let bodiless = [StatusCode::NO_CONTENT, StatusCode::RESET_CONTENT, StatusCode::NOT_MODIFIED];
    status.is_informational() || bodiless.contains(&status)
}

fn fixed(text: CompiledText) -> Body {
    match text.fixed() {
        Some(bytes) => {
            Body::Fixed { body: Bytes::copy_from_slice(bytes), length: HeaderValue::from(bytes.len()) }
        }
        None => Body::Text(text),
    }
}

/// The header's value; `None` for a fixed one that is left out.
fn header(text: &CompiledText, optional: bool) -> Option<Value> {
    match text.fixed() {
        Some(b"") if optional => None,
        Some(bytes) => HeaderValue::from_bytes(bytes).ok().map(Value::Fixed),
        None => Some(Value::Text { text: text.clone(), optional }),
    }
}

/// The content type of a rule's own text: its style's. The default style lends its own only to a
/// text that is a problem document; any other text gets the type it looks like.
fn content_type(text: &str, name: ReplyStyle) -> &'static str {
    if name != ReplyStyle::Problem {
        return name.style().content_type;
    }
    if let Some(Piece::Word { .. }) = pieces(text).next() {
        return "text/plain; charset=utf-8";
    }
    let text = restore(text);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let has = |member: &str| text.contains(member);
    match text.as_bytes().first() {
        Some(b'{') if has("\"title\"") && (has("\"type\"") || has("\"status\"") || has("\"detail\"")) => {
            name.style().content_type
        }
        Some(b'{' | b'[') => "application/json",
        Some(b'<') if text.starts_with("<?xml") => "application/xml",
        Some(b'<') => "text/html; charset=utf-8",
        _ => "text/plain; charset=utf-8",
    }
}
