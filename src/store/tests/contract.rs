//! One suite for whatever keeps state: each operation, at one place, step by step.

use std::num::{NonZeroU32, NonZeroU64};
use std::sync::Arc;

use http::{HeaderMap, StatusCode};

use super::*;
use crate::engine::{Learnt, Seen, StoredAnswer};
use crate::rules::{Clear, Rate};

/// What the suite needs of a store.
trait Keeper {
    fn run(&self, place: Place, ask: Ask, now: Moment) -> Answer;
    fn tell(&self, place: Place, tell: Tell, now: Moment);
    fn learn(&self, told: Told, now: Moment);
}

impl Keeper for Store {
    fn run(&self, place: Place, ask: Ask, now: Moment) -> Answer {
        Store::run(self, place, ask, now)
    }

    fn tell(&self, place: Place, tell: Tell, now: Moment) {
        Store::tell(self, place, tell, now);
    }

    fn learn(&self, told: Told, now: Moment) {
        Store::learn(self, told, now);
    }
}

#[test]
fn memory_keeps_the_contract() {
    contract(&|| Box::new(store(1_000, HOUR)));
    contract(&|| Box::new(store(Store::ONE_SHARD + 1, HOUR)));
}

/// A step at a second; `Enter` gives tickets in turn, which later steps name by number.
enum Step {
    Ask(u64, Ask, Answer),
    Tell(u64, Tell),
    /// Enters with a payload, and is let in.
    Enter(u64, u128),
    Leave(u64, usize),
    Finish(u64, usize, u128, Option<Arc<StoredAnswer>>),
}

use Step::{Enter, Finish, Leave};

fn contract(make: &dyn Fn() -> Box<dyn Keeper>) {
    for (name, steps) in cases() {
        let keeper = make();
        let here = place(3, Table::State, 77);
        let mut tickets = Vec::new();
        for (number, step) in steps.into_iter().enumerate() {
            let second = |second| Moment::after_start(Duration::from_secs(second));
            match step {
                Step::Ask(at, ask, expected) => {
                    assert_eq!(keeper.run(here, ask, second(at)), expected, "{name}, step {number}");
                }
                Step::Tell(at, tell) => keeper.tell(here, tell, second(at)),
                Enter(at, payload) => match keeper.run(here, enter(payload), second(at)) {
                    Answer::Entered { ticket } => {
                        assert!(!tickets.contains(&ticket), "{name}: a ticket given twice");
                        tickets.push(ticket);
                    }
                    other => panic!("{name}, step {number}: {other:?}"),
                },
                Leave(at, number) => {
                    keeper.tell(here, Tell::Leave { ticket: tickets[number] }, second(at));
                }
                Finish(at, number, payload, answer) => {
                    let payload = KeyHash(payload);
                    let tell = Tell::Finish { ticket: tickets[number], payload, answer };
                    keeper.tell(here, tell, second(at));
                }
            }
            let elsewhere = place(4, Table::State, 77);
            let nothing = keeper.run(elsewhere, Ask::Holder, second(0));
            assert_eq!(nothing, Answer::Held(None), "{name}: told of another rule's key");
        }
    }
    references(&*make());
}

/// A resource refers to one thing at a time, and only what it refers to loses a reference.
fn references(keeper: &dyn Keeper) {
    let referrer = |key| place(3, Table::Referrer, key);
    let attach =
        |from, to| keeper.learn(Told::Attach { referrer: referrer(from), to: KeyHash(to) }, Moment(1));
    let detach = |from| keeper.learn(Told::Detach(referrer(from)), Moment(1));
    let count = |key| keeper.run(place(3, Table::State, key), Ask::References, Moment(1));
    let counts = || [1, 2].map(count);
    let expect = |one, two| [Answer::References(one), Answer::References(two)];
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
    let counted = |n| Answer::Counted { n };
    let moment = |second| Moment::after_start(Duration::from_secs(second));
    let held = |holder: Option<u128>| {
        Answer::Held(holder.map(|holder| Held { holder: KeyHash(holder), until: None }))
    };
    let leased =
        |holder, until| Answer::Held(Some(Held { holder: KeyHash(holder), until: Some(moment(until)) }));
    let hold = |at, holder, lease: Option<u64>| {
        tell(at, Tell::Hold { holder: KeyHash(holder), lease: lease.map(Duration::from_secs) })
    };
    let learn = |at, began, how, version: &str| {
        let began = Moment::after_start(Duration::from_secs(began));
        tell(at, Tell::Learn { seen: seen(version, &[]), began, how })
    };
    let knows = |at, version: &str, rivals: &[&str]| {
        ask(at, Ask::Version, Answer::Version(Some(seen(version, rivals))))
    };
    let rate = Rate { requests: NonZeroU32::MIN.saturating_add(1), period: Duration::from_secs(2) };
    let window =
        |at, n, wait| ask(at, Ask::Window(rate), Answer::Windowed { n, wait: Duration::from_secs(wait) });
    let since = |at, n| {
        let first = Moment::after_start(Duration::from_secs(5));
        ask(at, Ask::Since, Answer::Since { first, n })
    };
    let open = |at, n, validator: Option<u128>| tell(at, Tell::Open { n, validator: validator.map(KeyHash) });
    let opened = |at, clear, validator: Option<u128>, answer| {
        ask(at, Ask::Opened { clear, validator: validator.map(KeyHash) }, answer)
    };
    let read = |at, began| tell(at, Tell::Read { began: Moment::after_start(Duration::from_secs(began)) });
    let is_open = |n, tries, since| Answer::Open { n, tries, since: moment(since) };
    let running = |at, asked, payload| ask(at, enter(asked), Answer::Running { payload: KeyHash(payload) });
    let finished = |at, asked, payload, answer: &Option<Arc<StoredAnswer>>| {
        let payload = KeyHash(payload);
        ask(at, enter(asked), Answer::Finished { payload, answer: answer.clone() })
    };
    let headers = HeaderMap::new();
    let answer =
        Some(Arc::new(StoredAnswer { connection: 0, status: StatusCode::OK, headers, body: "x".into() }));
    let three = Clear::Tries(NonZeroU64::MIN.saturating_add(2));
    let two_seconds = Clear::After(Duration::from_secs(2));
    let references = |count| ask(1, Ask::References, Answer::References(count));
    vec![
        ("count", vec![ask(0, Ask::Count, counted(1)), ask(9, Ask::Count, counted(2))]),
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
                Finish(61, 0, 1, answer.clone()),
                running(62, 2, 2),
            ],
        ),
        (
            "a late answer is kept when nobody else came",
            vec![Enter(0, 1), Finish(99, 0, 1, answer.clone()), finished(100, 1, 1, &answer)],
        ),
        (
            "finished",
            vec![
                Enter(0, 1),
                Finish(1, 0, 1, answer.clone()),
                finished(2, 1, 1, &answer),
                finished(2, 2, 1, &answer),
                Leave(3, 0),
                finished(3, 1, 1, &answer),
            ],
        ),
        (
            "finished with too long an answer",
            vec![Enter(0, 1), Finish(1, 0, 1, None), finished(2, 2, 1, &None), Enter(3, 1), running(4, 2, 1)],
        ),
        (
            "hold",
            vec![
                ask(0, Ask::Holder, held(None)),
                hold(1, 8, None),
                ask(3_000, Ask::Holder, held(Some(8))),
                tell(3_001, Tell::Release),
                ask(3_001, Ask::Holder, held(None)),
                tell(3_002, Tell::Release),
            ],
        ),
        (
            "a lease",
            vec![
                hold(0, 8, Some(10)),
                hold(1, 9, Some(10)),
                ask(2, Ask::Holder, leased(8, 10)),
                hold(5, 8, Some(10)),
                ask(14, Ask::Holder, leased(8, 15)),
                ask(15, Ask::Holder, held(None)),
                hold(16, 9, Some(10)),
                ask(17, Ask::Holder, leased(9, 26)),
            ],
        ),
        (
            "take and replace",
            vec![
                ask(0, Ask::Take, held(None)),
                ask(0, Ask::Replace(KeyHash(8)), held(None)),
                ask(0, Ask::Replace(KeyHash(9)), held(Some(8))),
                ask(0, Ask::Take, held(Some(9))),
                ask(0, Ask::Take, held(None)),
            ],
        ),
        (
            "references",
            vec![
                references(0),
                tell(1, Tell::Unrefer),
                tell(1, Tell::Refer),
                tell(1, Tell::Refer),
                references(2),
                tell(1, Tell::Unrefer),
                references(1),
                tell(1, Tell::Unrefer),
                tell(1, Tell::Unrefer),
                references(0),
            ],
        ),
        (
            "versions of exchanges one after the other",
            vec![
                ask(0, Ask::Version, Answer::Version(None)),
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
                opened(0, refetch, None, Answer::Closed),
                read(0, 0),
                opened(0, refetch, None, Answer::Closed),
                open(5, 4, Some(1)),
                opened(6, refetch, Some(2), is_open(4, 2, 5)),
                read(7, 4),
                opened(7, refetch, Some(1), is_open(4, 3, 5)),
                read(9, 8),
                opened(9, refetch, Some(1), Answer::Cleared),
                opened(9, refetch, Some(1), Answer::Closed),
            ]
        }),
        ("cleared by a new version", {
            let new = Clear::NewVersion;
            vec![
                open(5, 1, Some(1)),
                opened(6, new, Some(1), is_open(1, 2, 5)),
                opened(6, new, None, is_open(1, 3, 5)),
                opened(6, new, Some(2), Answer::Cleared),
                open(7, 2, None),
                opened(8, new, None, is_open(2, 2, 7)),
                read(9, 8),
                opened(9, new, None, Answer::Cleared),
            ]
        }),
        (
            "cleared by time",
            vec![
                open(5, 1, None),
                opened(6, two_seconds, None, is_open(1, 2, 5)),
                opened(7, two_seconds, None, Answer::Cleared),
            ],
        ),
        (
            "cleared by tries",
            vec![
                open(5, 1, None),
                opened(5, three, None, is_open(1, 2, 5)),
                opened(5, three, None, is_open(1, 3, 5)),
                opened(5, three, None, Answer::Cleared),
                open(6, 2, None),
                open(6, 3, None),
                opened(6, three, None, is_open(3, 3, 6)),
                opened(6, three, None, Answer::Cleared),
            ],
        ),
        (
            "never cleared",
            vec![open(5, 1, Some(1)), read(9, 8), opened(3_000, Clear::Never, Some(2), is_open(1, 2, 5))],
        ),
    ]
}

fn enter(payload: u128) -> Ask {
    Ask::Enter { lease: Duration::from_secs(60), payload: KeyHash(payload) }
}

/// An empty text is an unknown version.
fn seen(version: &str, rivals: &[&str]) -> Seen {
    let version = Some(version).filter(|version| !version.is_empty()).map(Into::into);
    Seen { version, modified: None, rivals: rivals.iter().map(|&rival| rival.into()).collect() }
}
