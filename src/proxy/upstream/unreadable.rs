//! The fault in a response's head that hyper cannot read, for the log. Of a header it names the name alone: a
//! value may be a secret.

use crate::model::sanitize;
use crate::rules::Limits;

/// Maximum number of a line's characters in a message.
const SHOWN: usize = 40;

/// The fault in `head`, which may lack its end; `None` when it is none of those known here.
pub fn fault(head: &[u8], limits: &Limits) -> Option<String> {
    let mut lines = head.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let status = lines.next().unwrap_or_default();
    if !is_status_line(status) {
        return Some(format!("it begins with `{}`, which is no status line of HTTP/1", shown(status)));
    }
    let mut length = status.len() + 2;
    for (number, line) in (1..).zip(lines) {
        length += line.len() + 2;
        if line.is_empty() {
            break;
        }
        if number > limits.response_header_count {
            let most = limits.response_header_count;
            return Some(format!("it has more than {most} header lines (`limits.response_header_count`)"));
        }
        if length > limits.response_header_bytes {
            break;
        }
        if let Some(fault) = fault_of_line(line) {
            return Some(format!("header line {number} {fault}"));
        }
    }
    (length > limits.response_header_bytes).then(|| {
        let most = limits.response_header_bytes;
        format!("its head is longer than {most} bytes (`limits.response_header_bytes`)")
    })
}

/// `HTTP/1.1 200` and a reason, if any (RFC 9112 §4).
fn is_status_line(line: &[u8]) -> bool {
    let Some(rest) = line.strip_prefix(b"HTTP/1.0 ").or_else(|| line.strip_prefix(b"HTTP/1.1 ")) else {
        return false;
    };
    let (code, phrase) = rest.split_at(rest.len().min(3));
    code.len() == 3
        && code.iter().all(u8::is_ascii_digit)
        && (phrase.is_empty() || phrase.starts_with(b" "))
        && !phrase.iter().any(|byte| is_control(*byte))
}

/// The fault that hyper rejects in a header line (RFC 9112 §5, RFC 9110 §5.5). Space before the colon is
/// taken.
fn fault_of_line(line: &[u8]) -> Option<String> {
    if line.starts_with(b" ") || line.starts_with(b"\t") {
        return Some("begins with a space, as if the line before went on (RFC 9112 §5.2)".to_owned());
    }
    let Some(colon) = line.iter().position(|byte| *byte == b':') else {
        return Some(format!("has no colon: `{}`", shown(line)));
    };
    let (name, value) = line.split_at(colon);
    let name = name.trim_ascii_end();
    if name.is_empty() {
        return Some("has no name before its colon".to_owned());
    }
    if let Some(byte) = name.iter().find(|byte| !is_token(**byte)) {
        return Some(format!("has {} in its name: `{}`", byte_name(*byte), shown(name)));
    }
    let wrong = value.iter().find(|byte| is_control(**byte))?;
    Some(format!("`{}` has {} in its value", shown(name), byte_name(*wrong)))
}

fn is_control(byte: u8) -> bool {
    byte != b'\t' && byte.is_ascii_control()
}

/// A character of a header's name (RFC 9110 §5.6.2).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn byte_name(byte: u8) -> String {
    match byte {
        b' ' => "a space".to_owned(),
        0x21..=0x7e => format!("`{}`", char::from(byte)),
        _ => format!("the byte 0x{byte:02x}"),
    }
}

fn shown(line: &[u8]) -> String {
    sanitize(&String::from_utf8_lossy(line), SHOWN).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_head_is_said() {
        let limits =
            Limits { response_header_count: 3, response_header_bytes: 8 * 1024, ..Limits::default() };
        let long = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(9_000));
        for (head, says) in [
            ("HTTP/1.1 200 OK\r\nA: b\r\n\r\n", None),
            ("HTTP/1.1 200\r\nA : b\r\n\r\nbody\r\nno header\r\n", None),
            ("HTTP/1.1 200\r\nA: b\r\n folded\r\n\r\n", Some("header line 2 begins with a space")),
            ("HTTP/1.1 200 Tr\u{e8}s bien\r\n\r\n", None),
            ("", Some("it begins with ``, which is no status line of HTTP/1")),
            ("<html>\r\n", Some("it begins with `<html>`, which is no status line of HTTP/1")),
            ("SSH-2.0-OpenSSH_9.2\r\n", Some("begins with `SSH-2.0-OpenSSH_9.2`")),
            ("HTTP/2 200\r\n\r\n", Some("begins with `HTTP/2 200`")),
            ("HTTP/1.1 20x OK\r\n\r\n", Some("no status line")),
            ("HTTP/1.1 200OK\r\n\r\n", Some("no status line")),
            (
                "HTTP/1.1 200 OK\r\nA: b\r\nMy Header: 1\r\n\r\n",
                Some("header line 2 has a space in its name: `My Header`"),
            ),
            (
                "HTTP/1.1 200 OK\r\nPHP Warning: secret\r\n\r\n",
                Some("header line 1 has a space in its name: `PHP Warning`"),
            ),
            ("HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", Some("header line 1 has no colon: `nonsense`")),
            ("HTTP/1.1 200 OK\r\n: x\r\n\r\n", Some("header line 1 has no name before its colon")),
            ("HTTP/1.1 200 OK\r\nA(: x\r\n\r\n", Some("header line 1 has `(` in its name: `A(`")),
            (
                "HTTP/1.1 200 OK\r\nSet-Cookie: secret\x01\r\n\r\n",
                Some("header line 1 `Set-Cookie` has the byte 0x01 in its value"),
            ),
            (
                "HTTP/1.1 200 OK\r\nA: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n",
                Some("it has more than 3 header lines (`limits.response_header_count`)"),
            ),
            (&long, Some("its head is longer than 8192 bytes (`limits.response_header_bytes`)")),
        ] {
            let said = fault(head.as_bytes(), &limits);
            match says {
                None => assert_eq!(said, None, "{head}"),
                Some(says) => {
                    assert!(said.as_ref().is_some_and(|said| said.contains(says)), "{head}: {said:?}");
                }
            }
            assert!(!said.unwrap_or_default().contains("secret"), "{head}");
        }
    }
}
