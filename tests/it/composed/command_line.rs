//! `--rule`: a rule without a file.

use super::{order, tree};
use crate::support::program::{Serving, fracas, run, text};
use crate::support::socket::Socket;

#[test]
fn a_line_is_a_rule_of_a_file() {
    /// A line, and the same rule in a file.
    const LINES: [(&str, &str); 9] = [
        (
            "PUT /items/{id} first=1 kind=version",
            "method = \"PUT\"\npath = \"/items/{id}\"\nfirst = 1\nkind = \"version\"\n",
        ),
        ("PUT,PATCH /x rate=0.5", "method = [\"PUT\", \"PATCH\"]\npath = \"/x\"\nrate = 0.5\n"),
        ("/x first=1", "path = \"/x\"\nfirst = 1\n"),
        (
            "GET /** above=20/s per=client",
            "method = \"GET\"\npath = \"/**\"\nabove = \"20/s\"\nper = \"client\"\n",
        ),
        (
            "POST /orders name=o first=1 per=header:idempotency-key phase=lost",
            "method = \"POST\"\npath = \"/orders\"\nname = \"o\"\nfirst = 1\nper = \"header:idempotency-key\"\nphase = \"lost\"\n",
        ),
        (
            "PUT /x first=1 reply.status=423 reply.retry_after=2s",
            "method = \"PUT\"\npath = \"/x\"\nfirst = 1\nreply = { status = 423, retry_after = \"2s\" }\n",
        ),
        (
            "GET /x query.page=2 cookie.a=true",
            "method = \"GET\"\npath = \"/x\"\nquery = { page = \"2\" }\ncookie = { a = true }\n",
        ),
        (
            "PUT /x  per=[\"path\", \"client\"] reply={ body = 'a b', status = 410 }",
            "method = \"PUT\"\npath = \"/x\"\nper = [\"path\", \"client\"]\nreply = { body = 'a b', status = 410 }\n",
        ),
        (
            "PUT /x reply.body='a = b' first=2",
            "method = \"PUT\"\npath = \"/x\"\nfirst = 2\nreply = { body = 'a = b' }\n",
        ),
    ];
    for (line, keys) in LINES {
        let text = fracas::rules::RulesText {
            form: fracas::rules::TextForm::Words,
            ..fracas::rules::RulesText::alone("--rule", line)
        };
        let file = fracas::rules::RulesText::alone("rules.toml", &format!("[[rule]]\n{keys}"));
        let read = |text| {
            let accepted = fracas::rules::read_all(vec![text], &crate::rules::around::Case);
            let mut rule =
                accepted.unwrap_or_else(|mistakes| panic!("{line}\n{mistakes}")).config.rules.remove(0);
            rule.span = 0..0;
            format!("{rule:?}")
        };
        assert_eq!(read(text), read(file), "{line}");
    }
}

#[test]
fn a_line_is_tried_without_a_file() {
    let folder = tree(&[]);
    assert_eq!(order(folder.path(), &["--rule", "PUT /items/{id} first=1 kind=version"]), ["rule-1"]);
    let mut command = fracas(folder.path());
    command.args([
        "-l",
        "127.0.0.1:0",
        "--rule",
        "PUT /items/{id} first=1 reply.status=423",
        "--rule",
        "GET /items/1 first=1 reply.status=410",
    ]);
    let serving = Serving::start(command);
    assert!(serving.start.iter().any(|line| line.contains("--rule: 2 rules, seed 1")), "{:?}", serving.start);
    for (method, status) in [("PUT", 423), ("GET", 410), ("GET", 200)] {
        let mut socket = Socket::connect(serving.address);
        socket.send(format!("{method} /items/1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
        assert_eq!(socket.response().status(), status, "{method}");
    }
    serving.signal("INT");
    assert_eq!(serving.end().0, Some(0));
    let ran = run(folder.path(), &["run", "--min-operations", "0", "--rule", "PUT /x first=1", "--", "true"]);
    assert_eq!(ran.status.code(), Some(0), "{}", text(&ran.stderr));
}

#[test]
fn mistakes_are_underlined_in_the_line() {
    let folder = tree(&[]);
    for (lines, said) in [
        (&["PUT /items/{id} frist=1"][..], &["--> --rule:1:17", "^^^^^ did you mean `first`?"][..]),
        (&["put /items/1"], &["--> --rule:1:1", "did you mean \"PUT\"?"]),
        (&["PUT /items/:id"], &["--> --rule:1:12", "{id}"]),
        (&["PUT /items/{id first=1"], &["--> --rule:1:12", "is not closed"]),
        (&["PUT /x rate=25"], &["--> --rule:1:13", "for 25 %, write 0.25"]),
        (&["PUT /x kind=versoin"], &["--> --rule:1:13", "did you mean \"version\"?"]),
        (&["PUT /x first=1 first=2"], &["--> --rule:1:16", "`first` is given twice"]),
        (&["PUT /x always"], &["--> --rule:1:8", "is neither a path nor `key=value`"]),
        (&["PUT /x reply.statsu=423"], &["--> --rule:1:8", "did you mean `status`?"]),
        (&["PUT /x reply.status=100"], &["error[bad-status]", "--> --rule:1:21"]),
        (&[""], &["error[syntax]", "begins with a method and a path"]),
        (&["PUT /x first=1", "PUT /y first=0"], &["--> --rule, number 2:1:14"]),
        (
            &["PUT /x name=a first=1", "PUT /y name=a first=1"],
            &["error[duplicate-name]", "--> --rule, number 2:1:13", "::: --rule:1:13"],
        ),
    ] {
        let mut line = vec!["check"];
        lines.iter().for_each(|rule| line.extend(["--rule", rule]));
        let output = run(folder.path(), &line);
        let out = text(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{lines:?}: {out}");
        for said in said {
            assert!(out.contains(said), "{lines:?}: {said}\n{out}");
        }
    }
}
