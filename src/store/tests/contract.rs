//! The contract of every store: each operation on one key, step by step.

use std::num::{NonZeroU32, NonZeroU64};
use std::sync::Arc;

use http::{HeaderMap, StatusCode};

use super::slow::{SlowStore, run};
use super::*;
use crate::engine::{KnownVersion, Learnt, StoredResponse};
use crate::rules::{Clear, Rate};

#[test]
fn memory_keeps_the_contract() {
    contract(&|| store(1_000, HOUR));
    contract(&|| store(MemoryStore::ONE_SHARD + 1, HOUR));
}

#[test]
fn a_store_that_lets_replies_wait_keeps_it_as_well() {
    contract(&|| SlowStore::new(store(1_000, HOUR)));
}

fn reply(store: &impl Store, key: StateKey, op: Op, now: Moment) -> Reply {
    run(store.update(key, op, now).reply()).expect("no failure")
}

/// A step, one per second; steps that enter get tickets in turn, which later steps name by number.
enum Step {
    Ask(u64, Op, Reply),
    Tell(u64, Op),
    /// Enters with a payload, and is admitted.
    Enter(u64, u128),
    Leave(u64, usize),
    Finish(u64, usize, u128, Option<Arc<StoredResponse>>),
}

use Step::{Enter, Finish, Leave};

fn contract<S: Store>(make: &dyn Fn() -> S) {
    for (name, steps) in cases() {
        let keeper = make();
        let here = place(3, Keyspace::State, 77);
        let mut tickets = 0;
        for (number, step) in steps.into_iter().enumerate() {
            let second = |second| Moment::after_start(Duration::from_secs(second));
            let tell = |at, op| assert_eq!(reply(&keeper, here, op, second(at)), Reply::Done, "{name}");
            match step {
                Step::Ask(at, op, expected) => {
                    assert_eq!(reply(&keeper, here, op, second(at)), expected, "{name}, step {number}");
                }
                Step::Tell(at, op) => tell(at, op),
                Enter(at, payload) => {
                    let op = enter(tickets, payload);
                    tickets += 1;
                    let entered = reply(&keeper, here, op, second(at));
                    assert_eq!(entered, Reply::Entered, "{name}, step {number}");
                }
                Leave(at, number) => tell(at, Op::Leave { ticket: number as u64 }),
                Finish(at, number, payload, response) => {
                    let payload = KeyHash(payload);
                    tell(at, Op::Finish { ticket: number as u64, payload, response });
                }
            }
            let elsewhere = place(4, Keyspace::State, 77);
            let nothing = reply(&keeper, elsewhere, Op::Holder, second(0));
            assert_eq!(nothing, Reply::Held(None), "{name}: told of another rule's key");
        }
    }
    references(&make());
}

/// A referrer refers to one resource at a time, and only that resource loses a reference.
fn references(store: &impl Store) {
    let obey = |command| {
        let mut effects = Effects::from(command);
        while let Some((key, op)) = effects.poll(Moment(1)) {
            effects.reply(Ok(reply(store, key, op, Moment(1))));
        }
    };
    let referrer = |key| place(3, Keyspace::Referrer, key);
    let attach = |from, to| obey(StateUpdate::Attach { referrer: referrer(from), to: KeyHash(to) });
    let detach = |from| obey(StateUpdate::Detach { referrer: referrer(from) });
    let count = |key| reply(store, place(3, Keyspace::State, key), Op::References, Moment(1));
    let counts = || [1, 2].map(count);
    let expect = |one, two| [Reply::References(one), Reply::References(two)];
    assert_eq!(counts(), expect(0, 0));
    attach(10, 1);
    attach(10, 1);
    assert_eq!(counts(), expect(1, 0), "one that is written twice refers once");
    attach(11, 1);
    attach(10, 2);
    assert_eq!(counts(), expect(1, 1), "one that refers to something else now");
    detach(10);
    detach(10);
    detach(12);
    assert_eq!(counts(), expect(1, 0), "a release counts once");
    detach(11);
    assert_eq!(counts(), expect(0, 0));
}

fn cases() -> Vec<(&'static str, Vec<Step>)> {
    let ask = Step::Ask;
    let tell = Step::Tell;
    let counted = |n| Reply::Counted { n };
    let seconds = Duration::from_secs;
    let held = |holder: Option<u128>| {
        Reply::Held(holder.map(|holder| Held { holder: KeyHash(holder), remaining: None }))
    };
    let leased =
        |holder, left| Reply::Held(Some(Held { holder: KeyHash(holder), remaining: Some(seconds(left)) }));
    let hold = |at, holder, lease: Option<u64>| {
        tell(at, Op::Hold { holder: KeyHash(holder), lease: lease.map(Duration::from_secs) })
    };
    let learn = |at, began, how, version: &str| {
        tell(at, Op::Learn { seen: seen(version, &[]), took: seconds(at - began), how })
    };
    let knows = |at, version: &str, rivals: &[&str]| {
        ask(at, Op::Version, Reply::Version(Some(seen(version, rivals))))
    };
    let rate = Rate { requests: NonZeroU32::MIN.saturating_add(1), period: Duration::from_secs(2) };
    let window =
        |at, n, wait| ask(at, Op::Window(rate), Reply::Windowed { n, wait: Duration::from_secs(wait) });
    let since = |at, n| ask(at, Op::Age, Reply::Age { age: seconds(at - 5), n });
    let open = |at, n, validator: Option<u128>| tell(at, Op::Open { n, validator: validator.map(KeyHash) });
    let opened = |at, clear, validator: Option<u128>, expected: fn(u64) -> Reply| {
        ask(at, Op::Opened { clear, validator: validator.map(KeyHash) }, expected(at))
    };
    let read = |at, began| tell(at, Op::Read { took: seconds(at - began) });
    let running =
        |at, asked, payload| ask(at, enter(u64::MAX, asked), Reply::Running { payload: KeyHash(payload) });
    let finished = |at, asked, payload, response: &Option<Arc<StoredResponse>>| {
        let payload = KeyHash(payload);
        ask(at, enter(u64::MAX, asked), Reply::Finished { payload, response: response.clone() })
    };
    let headers = HeaderMap::new();
    let response =
        Some(Arc::new(StoredResponse { connection: 0, status: StatusCode::OK, headers, body: "x".into() }));
    let three = Clear::Tries(NonZeroU64::MIN.saturating_add(2));
    let two_seconds = Clear::After(Duration::from_secs(2));
    let references = |count| ask(1, Op::References, Reply::References(count));
    vec![
        ("count", vec![ask(0, Op::Count, counted(1)), ask(9, Op::Count, counted(2))]),
        (
            "window",
            vec![
                window(0, 1, 0),
                window(0, 2, 0),
                window(0, 3, 1),
                window(1, 4, 0),
                window(1, 5, 1),
                window(9, 6, 0),
                window(9, 7, 0),
                window(9, 8, 1),
            ],
        ),
        ("since", vec![since(5, 1), since(8, 2), since(6, 3)]),
        (
            "enter and leave",
            vec![Enter(0, 1), running(1, 1, 1), running(1, 2, 1), Leave(2, 0), Enter(3, 2), running(3, 1, 2)],
        ),
        (
            "leaving twice does not put the next one out",
            vec![Enter(0, 1), Leave(1, 0), Enter(2, 1), Leave(3, 0), running(3, 1, 1)],
        ),
        (
            "a lease ends, and whoever comes late neither leaves nor finishes for the next one",
            vec![
                Enter(0, 1),
                running(59, 1, 1),
                Enter(60, 2),
                Leave(61, 0),
                Finish(61, 0, 1, response.clone()),
                running(62, 2, 2),
            ],
        ),
        (
            "a late answer is kept when nobody else came",
            vec![Enter(0, 1), Finish(99, 0, 1, response.clone()), finished(100, 1, 1, &response)],
        ),
        (
            "finished",
            vec![
                Enter(0, 1),
                Finish(1, 0, 1, response.clone()),
                finished(2, 1, 1, &response),
                finished(2, 2, 1, &response),
                Leave(3, 0),
                finished(3, 1, 1, &response),
            ],
        ),
        (
            "finished with too long an answer",
            vec![Enter(0, 1), Finish(1, 0, 1, None), finished(2, 2, 1, &None), Enter(3, 1), running(4, 2, 1)],
        ),
        (
            "hold",
            vec![
                ask(0, Op::Holder, held(None)),
                hold(1, 8, None),
                ask(3_000, Op::Holder, held(Some(8))),
                tell(3_001, Op::Release),
                ask(3_001, Op::Holder, held(None)),
                tell(3_002, Op::Release),
            ],
        ),
        (
            "a lease",
            vec![
                hold(0, 8, Some(10)),
                hold(1, 9, Some(10)),
                ask(2, Op::Holder, leased(8, 8)),
                hold(5, 8, Some(10)),
                ask(14, Op::Holder, leased(8, 1)),
                ask(15, Op::Holder, held(None)),
                hold(16, 9, Some(10)),
                ask(17, Op::Holder, leased(9, 9)),
            ],
        ),
        (
            "take and replace",
            vec![
                ask(0, Op::Take, held(None)),
                ask(0, Op::Replace(KeyHash(8)), held(None)),
                ask(0, Op::Replace(KeyHash(9)), held(Some(8))),
                ask(0, Op::Take, held(Some(9))),
                ask(0, Op::Take, held(None)),
            ],
        ),
        (
            "references",
            vec![
                references(0),
                tell(1, Op::Unrefer),
                tell(1, Op::Refer),
                tell(1, Op::Refer),
                references(2),
                tell(1, Op::Unrefer),
                references(1),
                tell(1, Op::Unrefer),
                tell(1, Op::Unrefer),
                references(0),
            ],
        ),
        (
            "versions of exchanges one after the other",
            vec![
                ask(0, Op::Version, Reply::Version(None)),
                learn(1, 0, Learnt::Read, "1"),
                knows(1, "1", &[]),
                learn(3, 2, Learnt::Write, "2"),
                knows(3, "2", &[]),
                learn(5, 4, Learnt::Write, ""),
                knows(5, "", &[]),
                learn(7, 6, Learnt::Read, "4"),
                learn(8, 7, Learnt::Read, ""),
                knows(8, "4", &[]),
            ],
        ),
        (
            "a read that began before a write ended may show the old version",
            vec![
                learn(1, 0, Learnt::Read, "1"),
                learn(5, 2, Learnt::Write, "2"),
                learn(6, 4, Learnt::Read, "1"),
                knows(6, "2", &[]),
                learn(7, 4, Learnt::Read, "3"),
                knows(7, "3", &["2"]),
                learn(9, 8, Learnt::Read, "1"),
                knows(9, "1", &[]),
            ],
        ),
        (
            "of writes that overlap, any may be the newest, until one comes after them",
            vec![
                learn(5, 1, Learnt::Write, "2"),
                learn(6, 4, Learnt::Write, "3"),
                learn(7, 1, Learnt::Write, "4"),
                knows(7, "4", &["2", "3"]),
                learn(9, 8, Learnt::Write, "5"),
                knows(9, "5", &[]),
                learn(10, 8, Learnt::Write, ""),
                knows(10, "", &[]),
            ],
        ),
        ("cleared by reading", {
            let refetch = Clear::Refetch;
            vec![
                opened(0, refetch, None, |_| Reply::Closed),
                read(0, 0),
                opened(0, refetch, None, |_| Reply::Closed),
                open(5, 4, Some(1)),
                opened(6, refetch, Some(2), |at| is_open(4, 2, at - 5)),
                read(7, 4),
                opened(7, refetch, Some(1), |at| is_open(4, 3, at - 5)),
                read(9, 8),
                opened(9, refetch, Some(1), |_| Reply::Cleared { n: 4 }),
                opened(9, refetch, Some(1), |_| Reply::Closed),
            ]
        }),
        ("cleared by a new version", {
            let new = Clear::NewVersion;
            vec![
                open(5, 1, Some(1)),
                opened(6, new, Some(1), |at| is_open(1, 2, at - 5)),
                opened(6, new, None, |at| is_open(1, 3, at - 5)),
                opened(6, new, Some(2), |_| Reply::Cleared { n: 1 }),
                open(7, 2, None),
                opened(8, new, None, |at| is_open(2, 2, at - 7)),
                read(9, 8),
                opened(9, new, None, |_| Reply::Cleared { n: 2 }),
            ]
        }),
        (
            "cleared by time",
            vec![
                open(5, 1, None),
                opened(6, two_seconds, None, |at| is_open(1, 2, at - 5)),
                opened(7, two_seconds, None, |_| Reply::Cleared { n: 1 }),
            ],
        ),
        (
            "cleared by tries",
            vec![
                open(5, 1, None),
                opened(5, three, None, |at| is_open(1, 2, at - 5)),
                opened(5, three, None, |at| is_open(1, 3, at - 5)),
                opened(5, three, None, |_| Reply::Cleared { n: 1 }),
                open(6, 2, None),
                open(6, 3, None),
                opened(6, three, None, |at| is_open(3, 3, at - 6)),
                opened(6, three, None, |_| Reply::Cleared { n: 3 }),
            ],
        ),
        (
            "never cleared",
            vec![
                open(5, 1, Some(1)),
                read(9, 8),
                opened(3_000, Clear::Never, Some(2), |at| is_open(1, 2, at - 5)),
            ],
        ),
    ]
}

fn is_open(n: u64, tries: u64, age: u64) -> Reply {
    Reply::Open { n, tries, age: Duration::from_secs(age) }
}

fn enter(ticket: u64, payload: u128) -> Op {
    Op::Enter { ticket, lease: Duration::from_secs(60), payload: KeyHash(payload) }
}

/// An empty text is an unknown version.
fn seen(version: &str, rivals: &[&str]) -> KnownVersion {
    let version = Some(version).filter(|version| !version.is_empty()).map(Into::into);
    KnownVersion { version, modified: None, rivals: rivals.iter().map(|&rival| rival.into()).collect() }
}
