//! Circles of imports: files that use each other, directly or through others.

use std::collections::{BTreeMap, BTreeSet};

use super::modules::{Module, ModulePath, folder, used_by};

/// The circles whose files lie in different folders, each in words.
pub fn circles_across_folders(all: &BTreeMap<ModulePath, Module>) -> Vec<String> {
    let edges: Edges<'_> = all.keys().map(|path| (path, used_by(path, all))).collect();
    let across = circles(&edges).into_iter().filter(|circle| {
        let folders: BTreeSet<_> = circle.iter().map(|path| folder(path, all)).collect();
        folders.len() > 1
    });
    across.map(|circle| describe(&circle, &edges, all)).collect()
}

type Edges<'a> = BTreeMap<&'a ModulePath, BTreeSet<ModulePath>>;

/// The sets of more than one module in which each can be reached from each (Tarjan 1972).
fn circles(edges: &Edges<'_>) -> Vec<Vec<ModulePath>> {
    let mut search =
        Search { edges, order: BTreeMap::new(), low: BTreeMap::new(), stack: Vec::new(), found: Vec::new() };
    for path in edges.keys() {
        if !search.order.contains_key(*path) {
            search.visit(path);
        }
    }
    search.found
}

struct Search<'a> {
    edges: &'a Edges<'a>,
    /// When a module was visited first.
    order: BTreeMap<ModulePath, usize>,
    /// The first visited of the modules on the stack that a module is known to reach.
    low: BTreeMap<ModulePath, usize>,
    stack: Vec<ModulePath>,
    found: Vec<Vec<ModulePath>>,
}

impl Search<'_> {
    fn visit(&mut self, path: &ModulePath) {
        let number = self.order.len();
        self.order.insert(path.clone(), number);
        self.low.insert(path.clone(), number);
        self.stack.push(path.clone());
        for next in &self.edges[path] {
            let reached = match self.order.get(next) {
                None => {
                    self.visit(next);
                    self.low[next]
                }
                Some(order) if self.stack.contains(next) => *order,
                Some(_) => continue,
            };
            let low = self.low[path].min(reached);
            self.low.insert(path.clone(), low);
        }
        if self.low[path] == number {
            let start = self.stack.iter().position(|other| other == path).expect("it is on the stack");
            let circle = self.stack.split_off(start);
            if circle.len() > 1 {
                self.found.push(circle);
            }
        }
    }
}

fn describe(circle: &[ModulePath], edges: &Edges<'_>, all: &BTreeMap<ModulePath, Module>) -> String {
    let lines = circle.iter().map(|path| {
        let used = edges[path].iter().filter(|used| circle.contains(used));
        let used: Vec<&str> = used.map(|used| &*all[used].source_path).collect();
        format!("  {} uses {}", all[path].source_path, used.join(", "))
    });
    format!("a circle of imports across folders:\n{}", lines.collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::modules::modules;
    use crate::tidy::source::Source;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let source = |(path, text): &(&str, &str)| Source { path: format!("c/{path}"), text: (*text).into() };
        let sources: Vec<Source> = files.iter().map(source).collect();
        circles_across_folders(&modules("c/", &sources))
    }

    #[test]
    fn a_circle_is_found_however_it_is_written() {
        for (way, a, b) in [
            ("super", "use super::super::b::Two;", "use super::a::one::One;"),
            ("crate", "use crate::b::Two;", "use crate::a::one::One;"),
            ("a group", "use crate::{b::{Two, Three}, std};", "use super::{a::one::{self, One}};"),
            ("a name that is handed on", "use crate::Two;", "use super::a::One;"),
            ("another name", "use crate::b as c;", "use super::a::One as Other;"),
            ("a name that is handed on here", "pub use crate::b::Two; struct A(Two);", "use crate::a::One;"),
            ("everything", "use crate::b::*;", "use super::a::one::*;"),
            ("a path in code", "fn f() -> crate::b::Two { 1 }", "fn f() { super::a::one::One::new() }"),
            ("a path in a type", "struct A(Vec<crate::b::Two>);", "impl super::a::one::One for B {}"),
            ("a path below an import", "fn f(g: crate::b::Two) {}", "use super::a; fn f() { a::one::g() }"),
            (
                "a path in a macro",
                "fn f() { vec![crate::b::Two] }",
                "fn f() { print!(\"\", super::a::one::X) }",
            ),
            (
                "a path in a module of the file",
                "mod c { use super::super::super::b::Two; }",
                "mod c { fn f() { crate::a::one::g() } }",
            ),
            ("a path in a function", "fn f() { use crate::b::Two; }", "fn f() { { use crate::a::One; } }"),
        ] {
            let found = found(&[
                ("lib.rs", "mod a; mod b; pub use b::Two;"),
                ("a/mod.rs", "mod one; pub use one::One;"),
                ("a/one.rs", a),
                ("b.rs", b),
            ]);
            let expected =
                "a circle of imports across folders:\n  c/a/one.rs uses c/b.rs\n  c/b.rs uses c/a/one.rs";
            assert_eq!(found, [expected], "{way}");
        }
    }

    #[test]
    fn a_circle_through_other_files_is_one_circle() {
        let found = found(&[
            ("lib.rs", "use a::One;"),
            ("a/mod.rs", "use crate::b::Two;"),
            ("b/mod.rs", "use self::two::Two;"),
            ("b/two.rs", "use crate::c::Three;"),
            ("c.rs", "use crate::a::One;"),
            ("d.rs", "use crate::c::Three;"),
        ]);
        let expected = "a circle of imports across folders:\n  c/a/mod.rs uses c/b/mod.rs\n  \
                        c/b/mod.rs uses c/b/two.rs\n  c/b/two.rs uses c/c.rs\n  c/c.rs uses c/a/mod.rs";
        assert_eq!(found, [expected]);
    }

    #[test]
    fn what_is_no_circle_across_folders_is_left_alone() {
        for (why, files) in [
            ("one folder", [("a/x.rs", "use super::y::Y;"), ("a/y.rs", "use super::x::X;")]),
            ("a head and its folder", [("a.rs", "use self::x::X;"), ("a/x.rs", "use super::A;")]),
            ("one way", [("a/x.rs", "use crate::b::y::Y;"), ("b/y.rs", "use std::fmt;")]),
            (
                "a name of another crate",
                [("a/x.rs", "use crate::b::y::Y;"), ("b/y.rs", "use other::a::x::X;")],
            ),
            ("handing on", [("a/x.rs", "use crate::b::y::Y;"), ("b/y.rs", "pub use crate::a::x::X;")]),
            (
                "tests",
                [
                    ("a/x.rs", "use crate::b::y::Y;"),
                    ("b/y.rs", "#[cfg(test)]\nmod tests { use crate::a::x::X; }"),
                ],
            ),
            (
                "the file around a module",
                [
                    ("a/x.rs", "use crate::b::y::Y;"),
                    ("b/y.rs", "mod a { pub mod x { use super::super::a::x::X; } }"),
                ],
            ),
            (
                "how far a name is seen",
                [("a/x.rs", "use crate::b::y::Y;"), ("b/y.rs", "pub(in crate::a::x) struct Y;")],
            ),
            ("a comment", [("a/x.rs", "use crate::b::y::Y;"), ("b/y.rs", "//! See [`crate::a::x::X`].")]),
        ] {
            assert_eq!(found(&files), [""; 0], "{why}");
        }
    }
}
