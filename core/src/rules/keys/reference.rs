//! The table of keys as a page to read: `docs/RULES.md`.

use std::fmt::Write as _;

use super::{Fallback, KeyEntry, SECTIONS, Section, ValueType};
use crate::rules::{Code, ReplyStyle, State, template, triggers, units, unsupported};

/// The reference of rules files, in Markdown.
pub fn reference() -> String {
    let mut page = String::from(INTRODUCTION);
    let _ = write!(
        page,
        "\n**Understood, but not built yet**, and refused as `not-yet`: {}.\n",
        unsupported::LIST
    );
    for section in SECTIONS {
        write_section(&mut page, section);
    }
    page.push_str(STACKED);
    page.push('\n');
    page.push_str(FILES);
    write_state(&mut page);
    page.push('\n');
    page.push_str(GRPC);
    page.push_str(STYLES);
    for style in ReplyStyle::ALL.iter().map(|style| style.style()) {
        let statuses: Vec<String> = style.statuses.iter().map(ToString::to_string).collect();
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {} |",
            style.word,
            style.title,
            style.about,
            statuses.join(", ")
        );
    }
    page.push_str("\n## Placeholders\n\nIn a reply's texts. Every other brace stands for itself; ");
    page.push_str("`{{word}}` becomes `{word}`.\n\n| placeholder | filled with |\n| --- | --- |\n");
    for (word, filling) in template::WORDS {
        let _ = writeln!(page, "| `{{{word}}}` | {filling} |");
    }
    page.push_str(
        "\n## Mistakes\n\nThe codes of the mistakes that `fracas check` reports; they never change.\n\n",
    );
    page.push_str("| code | meaning |\n| --- | --- |\n");
    for code in Code::ALL {
        let _ = writeln!(page, "| `{code}` | {} |", code.meaning());
    }
    page
}

const STYLES: &str = "
## Styles

The values of a reply's `style`. Each speaks 409, whatever the kind. With `status` it speaks any other: those below
in the API's own texts for them.

| `style` | of | the response | other statuses |
| --- | --- | --- | --- |
";
const STACKED: &str = include_str!("stacked.md");
const STATE: &str = include_str!("state.md");
const FILES: &str = include_str!("files.md");
const GRPC: &str = include_str!("grpc.md");

const INTRODUCTION: &str = "\
# The rules file

<!-- Made from the table of keys in core/src/rules/keys; `FRACAS_BLESS=1 cargo test` writes it anew. -->

A rules file is TOML, at most 16 MiB of it. Every mistake is reported at once, with its place; with a
mistake nothing is started.

Rules are tried in file order. The first one that matches *and* fires answers; if none fires, the
request goes upstream untouched. Counters of a rule advance only when the rule is reached: see
[stacked rules](#stacked-rules).

| type | written |
| --- | --- |
| a duration | numbers with `ms`, `s`, `m` or `h`: `\"250ms\"`, `\"2s\"`, `\"1m30s\"` |
| a size | a number with `B`, `KiB`, `MiB` or `GiB`, `\"64 KiB\"`; or a bare number of bytes |
| a rate of requests | a number per second, minute or hour: `\"20/s\"`, `\"100/m\"`, `\"5/h\"` |
| a share | a number from 0 to 1: `0.25` is 25 % |
| a pattern | text in which `*` is any run of characters; without one it is exact |
| a JSON pointer | the way to a field (RFC 6901): `/user/name`, `/items/0`. In `body`, `per` and `version` a name that is `*` stands for every element of a list or object, and `~2` for a `*` itself: `/items/*/id`. Where one value is wanted, the first counts; the members of an object are in the order of their names. Of a JSON body longer than 16 KiB, a `*` looks at 4,096 elements |
| a key | `\"rule\"`, `\"path\"`, `\"client\"`, `\"header:NAME\"`, `\"cookie:NAME\"`, `\"query:NAME\"`, `\"param:NAME\"` (a capture of the path), `\"form:NAME\"` (a field of a form; of a file its name) or `\"body:/pointer\"` (in NDJSON the first line that has it) |
| a client's mark | `\"header:NAME\"`, `\"cookie:NAME\"`, `\"address\"` or `\"address+user-agent\"` |
| a version's place | `\"header:NAME\"`, `\"query:NAME\"` or `\"body:/pointer\"` |
";

fn write_section(page: &mut String, section: &Section) {
    let _ = write!(page, "\n## {}\n", section.heading);
    if !section.about.is_empty() {
        let _ = write!(page, "\n{}\n", section.about);
    }
    for group in section.groups {
        if section.groups.len() > 1 {
            let mut say = group.say.to_owned();
            if let Some(first) = say.get_mut(..1) {
                first.make_ascii_uppercase();
            }
            let _ = write!(page, "\n### {say}\n");
        }
        page.push_str("\n| key | value | default | meaning |\n| --- | --- | --- | --- |\n");
        for entry in group.entries {
            write_entry(page, entry);
        }
    }
}

fn write_entry(page: &mut String, entry: &KeyEntry) {
    let default = match entry.default {
        Fallback::Is(value) => format!("`{value}`"),
        Fallback::Words(words) => words.to_owned(),
        Fallback::Required => "must be given".to_owned(),
    };
    let example = entry.example.lines().map(|line| format!("`{line}`")).collect::<Vec<_>>().join("<br>");
    let cells = [
        format!("`{}`", entry.name),
        with_bounds(&entry.value),
        default,
        format!("{} {example}", triggers::meaning(entry)),
    ];
    let cells = cells.map(|cell| cell.replace('|', "\\|"));
    let _ = writeln!(page, "| {} |", cells.join(" | "));
}

/// The state triggers, in the frame of `state.md`.
fn write_state(page: &mut String) {
    let mut table =
        String::from("| `on` | conflict when | learned from | ended by |\n| --- | --- | --- | --- |\n");
    for state in State::ALL {
        let _ = writeln!(
            table,
            "| `{}` | {} | {} | {} |",
            state.word, state.title, state.learned_from, state.ended_by
        );
    }
    for notes in State::ALL.iter().map(|state| state.notes).filter(|notes| !notes.is_empty()) {
        let _ = write!(table, "\n{notes}");
    }
    page.push_str(&STATE.replace("{triggers}\n", &table));
}

/// The value's type with the bounds that its short name leaves out.
fn with_bounds(value: &ValueType) -> String {
    match value {
        ValueType::Duration { least, most } => {
            format!("a duration, {} to {}", units::in_words(*least), units::in_words(*most))
        }
        ValueType::Size { least, most } => {
            format!("a size in bytes, {} to {}", units::bytes(*least), units::bytes(*most))
        }
        ValueType::Table(section) => format!("a table, see {}", section.heading),
        ValueType::Tables(section) => format!("a list of tables, see {}", section.heading),
        ValueType::OneOrMore(value) => format!("{}, or a list of such", with_bounds(value)),
        ValueType::Any(values) => values.iter().map(with_bounds).collect::<Vec<_>>().join(", or "),
        other => other.noun(),
    }
}
