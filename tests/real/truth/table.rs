//! The behaviour of each client, and so the verdicts that must be found. The sources are the libraries' own,
//! at the pinned versions.

use crate::client::Runs::{self, Bash, Node, Python};

/// A client, its situations of `rules.toml`, and the verdicts that must be found.
pub struct Row {
    pub name: &'static str,
    pub plays: Plays,
    /// The beginning of its `User-Agent`.
    agent: &'static str,
    pub situations: &'static [&'static str],
    /// Rules and the checks that fail under them: all of them, and no others.
    pub fails: &'static [(&'static str, &'static [u64])],
    /// Failures that may be there: a busy machine decides whether a client that does not wait seems to.
    pub may_fail: &'static [(&'static str, &'static [u64])],
    /// Verdicts that must be there: rule, check, and the accepted values.
    pub finds: &'static [(&'static str, u64, &'static [&'static str])],
    /// Shapes and jitters that its waits may be taken for; `None`: nothing is said of them. Of a single client
    /// R8 leaves open whether it has no jitter, and so does this.
    pub backoff: Option<(&'static [&'static str], &'static [&'static str])>,
}

/// How a client is started.
#[derive(Clone, Copy)]
pub enum Plays {
    Script(Runs, &'static str),
    /// The Rust client that `tests/run` builds.
    Reqwest,
    /// A script with a client that needs its own server, and the rules of that.
    Before(Runs, &'static str, &'static str, &'static str),
}

impl Row {
    pub fn is_it(&self, agent: &str) -> bool {
        agent.starts_with(self.agent)
    }
}

const PYTHON: Plays = Plays::Script(Python, "truth/python_clients.py");
const JAVASCRIPT: Plays = Plays::Script(Node, "truth/javascript_clients.mjs");
const ALL: &[&str] = &["busy", "persistent", "wait", "stale", "order", "taken"];

/// The same stale write again, unread.
const STALE: (&str, &[u64]) = ("stale", &[1, 2, 3]);
/// Back before `Retry-After` allows it.
const EARLY: (&str, &[u64]) = ("wait", &[5]);
/// A POST again, without a key: a 409 says that nothing was done, a lost response would not have.
const ORDER: (&str, u64, &[&str]) = ("order", 16, WARN);
/// The same name again, although it is taken.
const TAKEN: (&str, &[u64]) = ("taken", &[1, 17]);

const PASS: &[&str] = &["pass"];
const WARN: &[&str] = &["warn"];
/// A check without a case: no finding, undetermined, or a pass.
const NOTHING: &[&str] = &["-", "undetermined", "pass"];

pub static ROWS: [Row; 21] = [
    Row {
        name: "requests",
        plays: PYTHON,
        agent: "python-requests/",
        situations: ALL,
        fails: &[],
        may_fail: &[],
        finds: &[("busy", 6, NOTHING), ("order", 16, NOTHING), ("stale", 2, NOTHING)],
        backoff: None,
    },
    Row {
        // Without a list of statuses `Retry` sends nothing again but for connection errors.
        name: "urllib3",
        plays: PYTHON,
        agent: "urllib3/",
        situations: ALL,
        fails: &[],
        may_fail: &[],
        finds: &[("busy", 6, NOTHING), ("order", 16, NOTHING), ("stale", 2, NOTHING)],
        backoff: None,
    },
    Row {
        // The first retry is immediate, then 0.2 s, 0.4 s …; POST is left alone, `Retry-After` is heard.
        name: "urllib3-backoff",
        plays: PYTHON,
        agent: "urllib3/",
        situations: ALL,
        fails: &[STALE],
        may_fail: &[],
        finds: &[("wait", 5, PASS), ("busy", 6, PASS), ("persistent", 9, PASS)],
        backoff: Some((&["exponential"], &["none", "small", "undetermined"])),
    },
    Row {
        name: "urllib3-jitter",
        plays: PYTHON,
        agent: "urllib3/",
        situations: ALL,
        fails: &[STALE],
        may_fail: &[],
        finds: &[("wait", 5, PASS), ("persistent", 9, PASS)],
        backoff: Some((
            &["exponential", "linear", "fixed", "growing", "undetermined"],
            &["small", "medium", "full", "undetermined"],
        )),
    },
    Row {
        // Any exception, at once; six tries here, for ever by default.
        name: "tenacity-none",
        plays: PYTHON,
        agent: "python-httpx/",
        situations: ALL,
        fails: &[("wait", &[5]), STALE, TAKEN],
        may_fail: &[("busy", &[6, 7]), ("persistent", &[6, 7]), ("stale", &[6, 7]), ("taken", &[6, 7])],
        finds: &[ORDER, ("busy", 7, &["fail", "warn"]), ("persistent", 9, WARN)],
        backoff: Some((&["immediate", "fixed"], &["none", "small", "medium", "full", "undetermined"])),
    },
    Row {
        name: "tenacity-exponential",
        plays: PYTHON,
        agent: "python-httpx/",
        situations: ALL,
        fails: &[EARLY, STALE, TAKEN],
        may_fail: &[],
        finds: &[ORDER, ("busy", 6, PASS), ("busy", 7, PASS), ("persistent", 9, PASS)],
        backoff: Some((&["exponential"], &["none", "small", "undetermined"])),
    },
    Row {
        name: "tenacity-full-jitter",
        plays: PYTHON,
        agent: "python-httpx/",
        situations: ALL,
        fails: &[EARLY, STALE, TAKEN],
        may_fail: &[],
        finds: &[ORDER, ("persistent", 9, PASS)],
        backoff: Some((
            &["exponential", "linear", "growing", "fixed", "undetermined"],
            &["medium", "full", "undetermined"],
        )),
    },
    Row {
        // 0.1 s · 2ⁿ without jitter, all methods, `Retry-After` unheard.
        name: "aiohttp-retry",
        plays: PYTHON,
        agent: "Python/",
        situations: ALL,
        fails: &[EARLY, STALE, TAKEN],
        may_fail: &[],
        finds: &[ORDER, ("busy", 6, PASS), ("busy", 7, PASS), ("persistent", 9, PASS)],
        backoff: Some((&["exponential"], &["none", "small", "undetermined"])),
    },
    Row {
        // No wait of its own, but `Retry-After` is heard; the user's condition takes POST along.
        name: "axios-retry",
        plays: JAVASCRIPT,
        agent: "axios/",
        situations: ALL,
        fails: &[STALE, TAKEN],
        may_fail: &[("busy", &[6, 7]), ("persistent", &[6, 7]), ("stale", &[6, 7]), ("taken", &[6, 7])],
        finds: &[ORDER, ("busy", 7, &["fail", "warn"]), ("wait", 5, PASS), ("persistent", 9, PASS)],
        backoff: Some((&["immediate", "fixed"], &["none", "small", "medium", "full", "undetermined"])),
    },
    Row {
        name: "axios-retry-exponential",
        plays: JAVASCRIPT,
        agent: "axios/",
        situations: ALL,
        fails: &[STALE, TAKEN],
        may_fail: &[],
        finds: &[ORDER, ("wait", 5, PASS), ("busy", 6, PASS), ("busy", 7, PASS), ("persistent", 9, PASS)],
        backoff: Some((&["exponential"], &["small", "none", "medium", "undetermined"])),
    },
    Row {
        // 1 s, 2 s, 4 s and up to 0.1 s more; never POST.
        name: "got",
        plays: JAVASCRIPT,
        agent: "got",
        situations: &["busy", "wait", "stale", "order", "taken"],
        fails: &[STALE],
        may_fail: &[],
        finds: &[("wait", 5, PASS), ("busy", 6, PASS), ("busy", 7, PASS)],
        backoff: Some((&["exponential"], &["small", "none", "undetermined"])),
    },
    Row {
        // n² times a base, here 0.1 s; any method; all its calls wait in one queue.
        name: "octokit",
        plays: JAVASCRIPT,
        agent: "octokit-core.js/",
        situations: &["busy", "persistent", "stale", "order", "taken"],
        fails: &[STALE, TAKEN],
        may_fail: &[],
        finds: &[ORDER, ("busy", 6, PASS), ("persistent", 9, PASS)],
        backoff: None,
    },
    Row {
        // Reads, changes, writes: at once, and for as long as it takes.
        name: "pouchdb-upsert",
        plays: Plays::Before(
            Node,
            "truth/upsert_client.mjs",
            "conflicts/couchdb_server.mjs",
            "[[rule]]\nname = \"stale\"\nmethod = \"PUT\"\npath = \"/counters/visits-*\"\nfirst = 1\nper = \"path\"\n\
             kind = \"version\"\nclear = \"refetch\"\nreply = { style = \"couchdb\" }\n",
        ),
        agent: "node-fetch/",
        situations: &[],
        fails: &[],
        may_fail: &[],
        finds: &[("stale", 1, PASS), ("stale", 2, PASS), ("stale", 3, NOTHING)],
        backoff: None,
    },
    Row {
        // 0.5 s · 2ⁿ⁻¹ times a half to one, at least 0.5 s; one key a call; `Retry-After` unheard.
        name: "stripe",
        plays: Plays::Before(
            Python,
            "truth/stripe_client.py",
            "conflicts/stripe_origin.py",
            "[[rule]]\nname = \"in-use\"\nmethod = \"POST\"\npath = \"/v1/**\"\nfirst = 2\n\
             per = \"header:idempotency-key\"\nkind = \"idempotency\"\n\
             reply = { style = \"stripe\", retry_after = \"3s\" }\n",
        ),
        agent: "Stripe/",
        situations: &[],
        fails: &[("in-use", &[5])],
        may_fail: &[],
        finds: &[("in-use", 1, PASS), ("in-use", 4, PASS), ("in-use", 16, NOTHING)],
        backoff: None,
    },
    Row {
        // U(0, 0.2 s · 2ⁿ⁻¹), POST too, `Retry-After` unheard.
        name: "reqwest-retry",
        plays: Plays::Reqwest,
        agent: "reqwest/",
        situations: ALL,
        fails: &[EARLY, STALE, TAKEN],
        may_fail: &[],
        finds: &[ORDER, ("persistent", 9, PASS)],
        backoff: Some((
            &["exponential", "linear", "growing", "fixed", "undetermined"],
            &["medium", "full", "undetermined"],
        )),
    },
    Row {
        // 1 s, 2 s, 4 s; with --retry-all-errors `Retry-After` is unheard.
        name: "curl",
        plays: Plays::Script(Bash, "truth/curl.sh"),
        agent: "curl/",
        situations: &[],
        fails: &[EARLY],
        may_fail: &[],
        finds: &[("busy", 6, PASS), ("busy", 7, PASS), ("persistent", 9, PASS)],
        backoff: Some((&["exponential"], &["none", "small", "undetermined"])),
    },
    Row {
        // One second, two, three …
        name: "wget",
        plays: Plays::Script(Bash, "truth/wget.sh"),
        agent: "Wget/",
        situations: &[],
        fails: &[],
        may_fail: &[],
        finds: &[("busy-page", 6, PASS), ("busy-page", 7, PASS)],
        backoff: Some((&["linear", "exponential"], &["none", "small", "undetermined"])),
    },
    Row {
        name: "exemplary",
        plays: PYTHON,
        agent: "exemplary/",
        situations: ALL,
        fails: &[],
        may_fail: &[],
        finds: &[
            ("stale", 1, PASS),
            ("stale", 2, PASS),
            ("stale", 3, PASS),
            ("wait", 5, PASS),
            ("persistent", 9, PASS),
            ("order", 4, PASS),
        ],
        backoff: None,
    },
    Row {
        name: "hot-loop",
        plays: PYTHON,
        agent: "hot-loop/",
        situations: ALL,
        fails: &[
            ("busy", &[6, 7]),
            ("persistent", &[6, 7, 9]),
            EARLY,
            ("stale", &[1, 2, 3, 6, 7, 9]),
            ("taken", &[1, 6, 7, 9, 17]),
        ],
        may_fail: &[],
        finds: &[ORDER],
        backoff: Some((&["immediate"], &["none", "small", "medium", "full", "undetermined"])),
    },
    Row {
        name: "blind-replay",
        plays: PYTHON,
        agent: "blind-replay/",
        situations: ALL,
        fails: &[("persistent", &[9]), EARLY, ("stale", &[1, 2, 3, 9]), ("taken", &[1, 9, 17])],
        may_fail: &[],
        finds: &[ORDER, ("persistent", 7, WARN)],
        backoff: Some((&["fixed"], &["none", "small", "undetermined"])),
    },
    Row {
        name: "new-key",
        plays: PYTHON,
        agent: "new-key/",
        situations: &["order"],
        fails: &[("order", &[4])],
        may_fail: &[],
        finds: &[],
        backoff: None,
    },
];
