//! The fenced blocks of a Markdown text, and the commands in them.

/// A fenced block.
#[derive(Debug, PartialEq, Eq)]
pub struct Block<'t> {
    pub language: &'t str,
    /// Of the opening fence, from 1.
    pub line: usize,
    pub text: String,
}

/// The fenced blocks of a Markdown text, in order.
pub fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (line, content) in (1..).zip(text.lines()) {
        match (content.strip_prefix("```"), &mut open) {
            (Some(language), None) => {
                open = Some(Block { language: language.trim(), line, text: String::new() });
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some(block)) => block.text.extend([content, "\n"]),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block without an end: {open:?}");
    blocks
}

/// The commands of a terminal session, each with the lines shown below it.
pub fn commands(session: &str) -> Vec<(String, Vec<&str>)> {
    let mut commands: Vec<(String, Vec<&str>)> = Vec::new();
    for line in session.lines() {
        match (line.strip_prefix("$ "), commands.last_mut()) {
            (Some(command), _) => commands.push((command.to_owned(), Vec::new())),
            (None, Some((command, shown))) if shown.is_empty() && command.ends_with('\\') => {
                *command = format!("{command}\n{line}");
            }
            (None, Some((_, shown))) => shown.push(line),
            (None, None) => panic!("a session begins with `$ `, not with {line}"),
        }
    }
    commands
}

/// Whether the output is as shown; an empty block allows any.
pub fn is_as_shown(shown: &[&str], printed: &str) -> bool {
    let printed: Vec<&str> = printed.lines().collect();
    shown.is_empty() || lines_fit(shown, &printed)
}

fn lines_fit(shown: &[&str], printed: &[&str]) -> bool {
    match shown {
        [] => printed.is_empty(),
        ["…", rest @ ..] => (0..=printed.len()).any(|skipped| lines_fit(rest, &printed[skipped..])),
        [first, rest @ ..] => match printed {
            [line, printed @ ..] => line_fits(first, line) && lines_fit(rest, printed),
            [] => false,
        },
    }
}

fn line_fits(shown: &str, line: &str) -> bool {
    let (shown, line) = (shown.trim_end(), line.trim_end());
    match shown.split_once('…') {
        None => shown == line,
        Some((before, after)) => line.strip_prefix(before).is_some_and(|rest| {
            rest.char_indices().map(|(at, _)| at).chain([rest.len()]).any(|at| line_fits(after, &rest[at..]))
        }),
    }
}

#[test]
fn blocks_and_commands_are_found() {
    let text = "# a\n```console\n$ one \\\n  two\nthree\n$ four\n```\nb\n```\nc\n```\n";
    let found = blocks(text);
    let console = "$ one \\\n  two\nthree\n$ four\n".to_owned();
    assert_eq!(
        found,
        [
            Block { language: "console", line: 2, text: console.clone() },
            Block { language: "", line: 9, text: "c\n".to_owned() }
        ]
    );
    assert_eq!(
        commands(&console),
        [("one \\\n  two".to_owned(), vec!["three"]), ("four".to_owned(), vec![])]
    );
}

#[test]
fn what_is_shown_is_compared() {
    for (shown, printed, fits) in [
        (&[][..], "anything\n", true),
        (&["a"], "a\n", true),
        (&["a"], "a  \n", true),
        (&["a"], "a\nb\n", false),
        (&["a", "b"], "a\n", false),
        (&["a…"], "abc\n", true),
        (&["a…c…e"], "abcde\n", true),
        (&["a…x"], "abc\n", false),
        (&["a", "…"], "a\nb\nc\n", true),
        (&["…", "c"], "a\nb\nc\n", true),
        (&["…", "b"], "a\nb\nc\n", false),
    ] {
        assert_eq!(is_as_shown(shown, printed), fits, "{shown:?} {printed:?}");
    }
}
