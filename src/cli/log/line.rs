//! One event as one line of text, in columns.

use std::fmt::{self, Write as _};

use anstyle::{AnsiColor, Style};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime as _;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use super::LocalTime;
use crate::model::Phase;
use crate::model::sanitize;

/// Formats events as lines for people.
pub struct LineFormat {
    pub clock: LocalTime,
}

impl<S, N> FormatEvent<S, N> for LineFormat
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        self.clock.format_time(&mut writer)?;
        let metadata = event.metadata();
        let line = match metadata.target() {
            "fracas::conflict" => conflict(&fields),
            "fracas::fault" => fault(&fields),
            "fracas::request" => request(&fields),
            "fracas::recovered" => recovered(&fields),
            "fracas::failure" => failure(&fields),
            _ => return other(&mut writer, *metadata.level(), &fields),
        };
        let status = fields.find("status").unwrap_or("lost");
        if writer.has_ansi_escapes() {
            let style = style(status);
            write!(writer, "  {style}{status:<4}{style:#}")?;
        } else {
            write!(writer, "  {status:<4}")?;
        }
        writeln!(writer, " {}", line.trim_end())
    }
}

/// `PUT /items/7         flaky-writes          transient    n=4           curl/8.5`. A request that the
/// upstream applied all the same is told as such.
fn conflict(fields: &Fields) -> String {
    let mut line = what(fields);
    column(&mut line, fields.get("rule"), 20);
    column(&mut line, fields.get("kind"), 11);
    let applied = if fields.get("phase") == Phase::Before.as_str() { "" } else { ", applied" };
    column(&mut line, &format!("n={}{applied}", fields.get("n")), 12);
    line + fields.get("client")
}

/// `GET /items/7         slow                  delayed by 800 ms  n=4           curl/8.5`.
fn fault(fields: &Fields) -> String {
    let mut line = what(fields);
    column(&mut line, fields.get("rule"), 20);
    column(&mut line, fields.get("faults"), 11);
    column(&mut line, &format!("n={}", fields.get("n")), 12);
    line + fields.get("client")
}

/// `GET /items/7        1.4 ms  curl/8.5`.
fn request(fields: &Fields) -> String {
    let mut line = what(fields);
    column(&mut line, &format!("{} ms", fields.get("milliseconds")), 10);
    line + fields.get("client")
}

/// `PUT /items/7         recovered after 3 tries, 1.58 s           curl/8.5`.
fn recovered(fields: &Fields) -> String {
    let seconds: f64 = fields.get("seconds").parse().unwrap_or(0.0);
    let mut line = what(fields);
    column(&mut line, &format!("recovered after {} tries, {seconds:.2} s", fields.get("tries")), 47);
    line + fields.get("client")
}

/// `GET /pages/3        the upstream refused the connection: is it up?`; what to do comes behind `→`.
fn failure(fields: &Fields) -> String {
    what(fields) + fields.get("message") + &help(fields)
}

fn help(fields: &Fields) -> String {
    fields.find("help").map(|help| format!(" → {help}")).unwrap_or_default()
}

/// Everything else: `warn  what happened  why=… → what to do`.
fn other(writer: &mut Writer<'_>, level: Level, fields: &Fields) -> fmt::Result {
    let level = match level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        _ => "debug",
    };
    write!(writer, "  {level}  {}", fields.get("message"))?;
    for (name, value) in fields.0.iter().filter(|(name, _)| !["message", "help"].contains(name)) {
        write!(writer, "  {name}={value}")?;
    }
    writeln!(writer, "{}", help(fields))
}

fn what(fields: &Fields) -> String {
    let mut line = String::new();
    column(&mut line, &format!("{} {}", fields.get("method"), fields.get("path")), 19);
    line
}

/// Appends a cell and two spaces; a longer cell pushes the rest of its line to the right.
fn column(line: &mut String, text: &str, width: usize) {
    // Writing to a String cannot fail.
    let _ = write!(line, "{text:<width$}  ");
}

fn style(status: &str) -> Style {
    match status.as_bytes().first() {
        Some(b'5') => AnsiColor::Red.on_default(),
        Some(b'4' | b'l') => AnsiColor::Yellow.on_default(),
        _ => Style::new().dimmed(),
    }
}

/// An event's fields as text that is harmless to a terminal.
#[derive(Default)]
struct Fields(Vec<(&'static str, String)>);

/// Characters of one field on one line.
const LONGEST: usize = 200;

impl Fields {
    fn get(&self, name: &str) -> &str {
        self.find(name).unwrap_or("-")
    }

    fn find(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.push((field.name(), sanitize(value, LONGEST).into_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_each_other_and_long_cells_push() {
        let fields = |path: &str, phase: Phase| {
            let pairs = [
                ("method", "PUT"),
                ("path", path),
                ("rule", "flaky-writes"),
                ("kind", "transient"),
                ("phase", phase.as_str()),
                ("n", "4"),
                ("client", "curl/8.5"),
            ];
            Fields(pairs.map(|(name, value)| (name, value.to_owned())).into())
        };
        for (path, phase, line) in [
            (
                "/items/7",
                Phase::Before,
                "PUT /items/7         flaky-writes          transient    n=4           curl/8.5",
            ),
            (
                "/a/rather/long/path",
                Phase::Before,
                "PUT /a/rather/long/path  flaky-writes          transient    n=4           curl/8.5",
            ),
            (
                "/items/7",
                Phase::After,
                "PUT /items/7         flaky-writes          transient    n=4, applied  curl/8.5",
            ),
        ] {
            assert_eq!(conflict(&fields(path, phase)), line);
        }
    }
}
