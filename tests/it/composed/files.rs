//! Several `--rules`, and `include`.

use std::fs;
use std::os::unix::fs::symlink;

use super::{order, refusing, tree};
use crate::support::program::{Serving, fracas, run, text};

#[test]
fn rules_are_tried_in_the_order_of_their_files() {
    let (a, b, c, d) = (refusing("a", 409), refusing("b", 409), refusing("c", 409), refusing("d", 409));
    let with_include = format!("include = [\"rules.d/*.toml\", \"late.toml\"]\n{a}");
    let nested = format!("include = [\"deep/*.toml\"]\n{c}");
    let folder = tree(&[
        ("rules.toml", &with_include),
        ("b.toml", &b),
        ("late.toml", &d),
        ("rules.d/2.toml", &nested),
        ("rules.d/10.toml", &refusing("ten", 409)),
        ("rules.d/deep/x.toml", &refusing("x", 409)),
        ("rules.d/.hidden.toml", "no TOML"),
        ("rules.d/note.txt", "no TOML"),
        ("rules.d/folder.toml/x", "no TOML"),
        ("plain.toml", &a),
    ]);
    for (arguments, names) in [
        (&["-r", "plain.toml"][..], &["a"][..]),
        (&["-r", "plain.toml", "-r", "b.toml"], &["a", "b"]),
        (&["-r", "b.toml", "-r", "plain.toml"], &["b", "a"]),
        (&[], &["ten", "x", "c", "d", "a"]),
        (&["-r", "b.toml", "-r", "rules.toml"], &["b", "ten", "x", "c", "d", "a"]),
        (&["-r", "b.toml", "--rule", "PUT /items/{id} name=first first=1"], &["first", "b"]),
        (&["--rule", "PUT /items/{id} first=1", "-r", "b.toml"], &["rule-1", "b"]),
    ] {
        assert_eq!(order(folder.path(), arguments), names, "{arguments:?}");
    }
    let output = run(folder.path(), &["check", "plain.toml", "b.toml"]);
    assert_eq!(text(&output.stdout), "plain.toml, b.toml: 2 rules, no mistakes\n");
}

#[test]
fn the_example_of_several_files_is_one_set_of_rules() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/several-files");
    assert_eq!(order(&folder, &[]), ["items-changed", "orders-busy"]);
    assert_eq!(text(&run(&folder, &["check"]).stdout), "rules.toml: 2 rules, no mistakes\n");
    let mut command = fracas(&folder);
    let output = command.env("UPSTREAM", "nowhere").arg("check").output().expect("the binary runs");
    assert!(text(&output.stdout).contains("--> rules.toml:6:12"), "{}", text(&output.stdout));
}

#[test]
fn names_of_files_are_looked_up_from_the_folder_of_the_file_that_has_them() {
    let rule = "[[rule]]\nname = \"NAME\"\nmethod = \"PUT\"\nreply = { body_file = \"body.json\" }\n";
    let tls = "upstream = \"https://localhost:1\"\n[upstream_tls]\nca = \"ca.pem\"\n";
    let folder = tree(&[
        ("conf/rules.toml", "include = [\"more/*.toml\"]\n"),
        ("conf/more/a.toml", &rule.replace("NAME", "a")),
        ("conf/more/body.json", "{}"),
        ("conf/tls.toml", "include = [\"tls/tls.toml\"]\n"),
        ("conf/tls/tls.toml", tls),
        ("conf/tls/ca.pem", "no certificate"),
        ("conf/broken.toml", "include = [\"none/*.toml\", \"broken.d/a.toml\"]\n"),
        ("conf/broken.d/a.toml", &rule.replace("NAME", "b")),
    ]);
    assert_eq!(run(folder.path(), &["check", "conf/rules.toml"]).status.code(), Some(0));
    for (file, place, said) in [
        ("conf/tls.toml", "--> conf/tls/tls.toml:3:6", "conf/tls/ca.pem"),
        ("conf/broken.toml", "--> conf/broken.toml:1:12", "nothing of that name in `conf`"),
        ("conf/broken.toml", "--> conf/broken.d/a.toml:4:23", "there is no file `body.json`"),
    ] {
        let output = run(folder.path(), &["check", file]);
        let out = text(&output.stdout);
        assert!(output.status.code() == Some(1) && out.contains(place) && out.contains(said), "{out}");
    }
}

#[test]
fn files_outside_in_circles_and_twice_are_mistakes_in_their_places() {
    let one = refusing("one", 409);
    let folder = tree(&[
        ("outer.toml", &one),
        ("conf/one.toml", &one),
        ("conf/out.toml", "\ninclude = [\"link.toml\"]\n"),
        ("conf/twice.toml", "include = [\"one.toml\", \"inner.toml\"]\n"),
        ("conf/circle.toml", "include = [\"round/back.toml\"]\n"),
        ("conf/round/back.toml", "include = [\"circle.toml\"]\n"),
        ("conf/named.toml", "include = [\"round\"]\n"),
        ("conf/gone.toml", "include = [\"go*.tml\"]\n"),
    ]);
    let at = |name: &str| folder.path().join("conf").join(name);
    symlink("../outer.toml", at("link.toml")).expect("a link");
    symlink("one.toml", at("inner.toml")).expect("a link");
    symlink("../circle.toml", at("round/circle.toml")).expect("a link");
    symlink("nowhere", at("gone.tml")).expect("a link");
    for (arguments, said) in [
        (
            &["conf/out.toml"][..],
            &["error[outside-folder]", "--> conf/out.toml:2:12", "`conf/link.toml` lies elsewhere"][..],
        ),
        (
            &["conf/twice.toml"],
            &["error[file-twice]", "--> conf/twice.toml:1:24", "`conf/inner.toml` is read twice"],
        ),
        (&["conf/circle.toml"], &["error[outside-folder]", "--> conf/round/back.toml:1:12"]),
        (&["conf/named.toml"], &["error[missing-file]", "conf/round: not a file"]),
        (&["conf/gone.toml"], &["error[missing-file]", "conf/gone.tml: No such file"]),
        (
            &["conf/one.toml", "conf/inner.toml"],
            &["error[file-twice]", "--> the command line:1:31", "`conf/inner.toml` is given twice"],
        ),
        (&["conf/twice.toml", "conf/one.toml"], &["error[file-twice]", "it is given by `--rules` as well"]),
    ] {
        let mut line = vec!["check"];
        line.extend(arguments);
        let output = run(folder.path(), &line);
        let out = text(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {out}");
        for said in said {
            assert!(out.contains(said), "{arguments:?}: {said}: {out}");
        }
    }
    fs::remove_file(at("round/circle.toml")).expect("removed");
    symlink("../round", at("round/again")).expect("a link");
    fs::write(at("round/back.toml"), "include = [\"again/back.toml\"]\n").expect("written");
    let out = text(&run(folder.path(), &["check", "conf/circle.toml"]).stdout).to_owned();
    assert!(out.contains("error[include-cycle]") && out.contains("--> conf/round/back.toml:1:12"), "{out}");
}

#[test]
fn the_journal_knows_every_file_and_one_hash() {
    let one = refusing("one", 409);
    let two = format!("include = [\"more/*.toml\"]\n{}", refusing("two", 409));
    let folder = tree(&[("one.toml", &one), ("two.toml", &two), ("more/x.toml", &refusing("x", 409))]);
    let origin = |arguments: &[&str]| {
        let mut command = fracas(folder.path());
        command.args(["-l", "127.0.0.1:0", "--journal", "j.jsonl"]).args(arguments);
        let serving = Serving::start(command);
        serving.signal("INT");
        assert_eq!(serving.end().0, Some(0));
        let journal = fs::read_to_string(folder.path().join("j.jsonl")).expect("a journal");
        fs::remove_file(folder.path().join("j.jsonl")).expect("removed");
        let first = journal.lines().next().expect("a line").to_owned();
        let report: serde_json::Value = serde_json::from_str(&first).expect("JSON");
        let files = report.to_string();
        let hash = files.split("\"rules_sha256\":\"").nth(1).expect("a hash")[..64].to_owned();
        (files, hash)
    };
    let (_, alone) = origin(&["-r", "one.toml"]);
    assert_eq!(alone, fracas::rules_file::sha256(one.as_bytes()));
    let (files, several) = origin(&["-r", "one.toml", "-r", "two.toml"]);
    for name in ["one.toml", "two.toml", "more/x.toml"] {
        assert!(files.contains(&format!("\"{name}\"")), "{files}");
    }
    fs::write(folder.path().join("more/x.toml"), refusing("y", 409)).expect("written");
    assert_ne!(origin(&["-r", "one.toml", "-r", "two.toml"]).1, several);
    let refused = run(folder.path(), &["-r", "two.toml", "--journal", "more/x.toml"]);
    assert!(text(&refused.stderr).contains("are one file"), "{}", text(&refused.stderr));
}
