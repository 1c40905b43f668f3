//! Triggers that learn from accepted requests, and `clear`, request by request.

use std::num::NonZeroU64;

use super::playback::{self, Playback, on, rule, selector};
use super::*;
use crate::rules::{Clear, LostResponse, Rule, RulePhase, Schedule, State};

fn play(rule: &Rule, traces: &[&str]) {
    for trace in traces {
        Playback::new(rule.clone()).play(trace);
    }
}

#[test]
fn duplicate() {
    let release = Some(selector(&["DELETE"], "/users/{name}", "param:name"));
    let register = rule(&["POST"], "/users", on(State::Duplicate { release }), "body:/name");
    play(
        &register,
        &[
            r#"A POST /users {"name":"ann"} -> 201     | pass
           A POST /users {"name":"ann"}            | conflict
           B POST /users {"name":"ann"}            | conflict
           B POST /users {"name":"bob"} -> 201     | pass
           B POST /users {"nick":"bob"} -> 400"#,
            // A request that was not accepted created nothing.
            r#"A POST /users {"name":"ann"} -> 400     | pass
           A POST /users {"name":"ann"} -> 500     | pass
           A POST /users {"name":"ann"} -> reset   | pass
           A POST /users {"name":"ann"} -> gone    | pass
           A POST /users {"name":"ann"} -> 202     | pass
           A POST /users {"name":"ann"}            | conflict"#,
            // Released only by an accepted release of that very key; twice is once.
            r#"A POST /users {"name":"ann"} -> 201     | pass
           A DELETE /users/ann -> 403
           A DELETE /users/ann -> gone
           A DELETE /users/bob -> 204
           A POST /users {"name":"ann"}            | conflict
           B DELETE /users/ann -> 204
           A POST /users {"name":"ann"} -> 201     | pass
           A POST /users {"name":"ann"}            | conflict
           B DELETE /users/ann -> 204
           B DELETE /users/ann -> 404
           A POST /users {"name":"ann"} -> 500     | pass"#,
            // Two at once are the upstream's to sort out.
            r#"1: A POST /users {"name":"ann"}         | pass
           2: B POST /users {"name":"ann"}         | pass
           1 -> 201
           C POST /users {"name":"ann"}            | conflict
           2 -> 409
           C POST /users {"name":"ann"}            | conflict"#,
            // A request within the hour prolongs the key's life; one after it finds nothing.
            r#"A POST /users {"name":"ann"} -> 201     | pass
           +3599s
           A POST /users {"name":"ann"}            | conflict
           +3601s
           A POST /users {"name":"ann"} -> 201     | pass"#,
        ],
    );
}

#[test]
fn referenced() {
    let state = |by, release| on(State::Referenced { by, release });
    let by = || selector(&["POST", "PUT", "PATCH"], "/orders/**", "body:/item");
    let by_path = Some(selector(&["DELETE"], "/orders/{id}", "path"));
    let delete = rule(&["DELETE"], "/items/{item}", state(by(), by_path), "param:item");
    play(
        &delete,
        &[
            r#"A DELETE /items/7 -> 204                                        | pass
           A POST /orders {"item":7} -> 201 location:/orders/1
           A DELETE /items/7                                               | conflict
           A DELETE /items/8 -> 204                                        | pass
           A DELETE /orders/1 -> 500
           A DELETE /items/7                                               | conflict
           A DELETE /orders/1 -> 204
           A DELETE /items/7 -> 204                                        | pass"#,
            // Failed, cancelled, and without a key.
            r#"A POST /orders {"item":7} -> 500 location:/orders/1
           A POST /orders {"item":7} -> gone
           A POST /orders {"item":7} -> reset
           A POST /orders {"itm":7} -> 201
           A DELETE /items/7 -> 500                                        | pass"#,
            // Each referrer counts once, however often it is written, and is released once.
            r#"A POST /orders {"item":7} -> 201 location:http://proxy/orders/1
           A PUT /orders/1 {"item":7} -> 200
           A PUT /orders/2 {"item":7} -> 200
           A DELETE /orders/1 -> 204
           A DELETE /orders/1 -> 204
           A DELETE /items/7                                               | conflict
           A DELETE /orders/2 -> 204
           A DELETE /items/7 -> 204                                        | pass"#,
            // It refers to another item now.
            r#"A POST /orders {"item":7} -> 201 location:/orders/1
           A PATCH /orders/1 {"item":8} -> 200
           A DELETE /items/7 -> 204                                        | pass
           A DELETE /items/8                                               | conflict
           A DELETE /orders/1 -> 204
           A DELETE /items/8 -> 204                                        | pass"#,
        ],
    );
    let by_key = Some(selector(&["DELETE"], "/orders/**", "query:item"));
    let delete = rule(&["DELETE"], "/items/{item}", state(by(), by_key), "param:item");
    play(
        &delete,
        &[r#"A POST /orders {"item":7} -> 201 location:/orders/1
           A POST /orders {"item":7} -> 201 location:/orders/2
           A DELETE /orders/1?item=7 -> 204
           A DELETE /items/7                                               | conflict
           A DELETE /orders/2 -> 204
           A DELETE /items/7                                               | conflict
           A DELETE /orders/2?item=7 -> 204
           A DELETE /items/7 -> 204                                        | pass"#],
    );
}

#[test]
fn expired() {
    let state = |age: Option<u64>, requests: Option<u64>| {
        let max_age = age.map(Duration::from_secs);
        on(State::Expired { max_age, max_requests: requests.and_then(NonZeroU64::new) })
    };
    let by_age = rule(&[], "/**", state(Some(60), None), "header:x-session");
    play(
        &by_age,
        &[r#"A GET / x-session:s -> 200              | pass
           +59s
           A GET / x-session:s -> 500              | pass
           +1s
           A GET / x-session:s                     | conflict
           B GET / x-session:s                     | conflict
           A GET / x-session:t -> 200              | pass
           A GET / -> 200"#],
    );
    let by_requests = rule(&[], "/**", state(None, Some(3)), "header:x-session");
    play(
        &by_requests,
        &[r#"1: A GET / x-session:s                  | pass
           2: A GET / x-session:s                  | pass
           A GET / x-session:s -> gone             | pass
           A GET / x-session:s                     | conflict
           1 -> reset
           A GET / x-session:s                     | conflict
           A GET / x-session:t -> 200              | pass"#],
    );
    let by_both = rule(&[], "/**", state(Some(60), Some(2)), "header:x-session");
    play(
        &by_both,
        &["A GET / x-session:s -> 200                | pass
         A GET / x-session:s -> 200                | pass
         A GET / x-session:s                       | conflict
         A GET / x-session:t -> 200                | pass
         +61s
         A GET / x-session:t                       | conflict"],
    );
}

#[test]
fn locked() {
    let release = Some(selector(&["DELETE"], "/docs/{id}/lock", "param:id"));
    let state = on(State::Locked { lease: Duration::from_secs(10), release });
    let lock = rule(&["PUT"], "/docs/{id}", state, "param:id");
    play(
        &lock,
        &[
            r#"A PUT /docs/1 -> 200                    | pass
           B PUT /docs/1                           | conflict
           B PUT /docs/2 -> 200                    | pass
           A PUT /docs/1 -> 500                    | pass
           +9s
           B PUT /docs/1                           | conflict
           +1s
           B PUT /docs/1 -> 200                    | pass
           A PUT /docs/1                           | conflict"#,
            // The holder renews; a failure does not.
            r#"A PUT /docs/1 -> 200                    | pass
           +9s
           A PUT /docs/1 -> 200                    | pass
           +9s
           B PUT /docs/1                           | conflict
           A PUT /docs/1 -> 500                    | pass
           A PUT /docs/1 -> gone                   | pass
           +1s
           B PUT /docs/1 -> 200                    | pass"#,
            // A request that was not accepted took no lock.
            r#"A PUT /docs/1 -> 423                    | pass
           A PUT /docs/1 -> reset                  | pass
           A PUT /docs/1 -> gone                   | pass
           B PUT /docs/1 -> 200                    | pass"#,
            // Any client whose release the upstream accepts releases it; a late release changes nothing.
            r#"A PUT /docs/1 -> 200                    | pass
           B DELETE /docs/1/lock -> 403
           B PUT /docs/1                           | conflict
           B DELETE /docs/1/lock -> 204
           B PUT /docs/1 -> 200                    | pass
           A PUT /docs/1                           | conflict"#,
            // Two were accepted at once: the first one holds the lock.
            r#"1: A PUT /docs/1                        | pass
           2: B PUT /docs/1                        | pass
           2 -> 200
           1 -> 200
           A PUT /docs/1                           | conflict
           B PUT /docs/1 -> 200                    | pass"#,
        ],
    );
}

fn clearing(clear: Clear, schedule: Schedule) -> Rule {
    let trigger = playback::clearing(schedule, RulePhase::Before, clear);
    rule(&["PUT"], "/items/{id}", trigger, "path")
}

#[test]
fn cleared_by_reading() {
    for clear in [Clear::Refetch, Clear::NewVersion] {
        play(
            &clearing(clear, Schedule::First(NonZeroU64::MIN)),
            &[
                r#"A PUT /items/1 if-match:"1"             | conflict 1
               A PUT /items/1 if-match:"1"             | conflict 2
               A GET /items/2 -> 200
               B GET /items/1 -> 200
               A GET /items/1 -> 403
               A GET /items/1 -> 500
               A GET /items/1 -> gone
               A GET /items/1 -> reset
               A PUT /items/1 if-match:"1"             | conflict 3
               A GET /items/1 -> 304
               A PUT /items/1 if-match:"1" -> 200      | cleared
               A PUT /items/1 if-match:"2" -> 200      | pass"#,
                // A client that finds no resource creates it.
                r#"A PUT /items/1                          | conflict 1
               A GET /items/1 -> 404
               A PUT /items/1 -> 201                   | cleared"#,
                // A read that began before the conflict shows nothing new.
                r#"1: A GET /items/1
               A PUT /items/1                          | conflict 1
               1 -> 200
               A PUT /items/1                          | conflict 2
               2: A HEAD /items/1
               A PUT /items/1                          | conflict 3
               2 -> 200
               A PUT /items/1 -> gone                  | cleared"#,
            ],
        );
    }
    play(
        &clearing(Clear::Refetch, Schedule::Always),
        &[r#"A PUT /items/1 if-match:"1"                 | conflict 1
           A PUT /items/1 if-match:"2"                 | conflict 2
           A GET /items/1?fields=name -> 200
           A PUT /items/1 if-match:"1" -> 200          | cleared
           A PUT /items/1 if-match:"2"                 | conflict 1
           B PUT /items/1                              | conflict 1"#],
    );
    play(
        &clearing(Clear::NewVersion, Schedule::First(NonZeroU64::MIN)),
        &[
            r#"A PUT /items/1 if-match:"1"                 | conflict 1
           A PUT /items/1                              | conflict 2
           A PUT /items/1 if-match:*                   | conflict 3
           A PUT /items/1 if-match:"2" -> 200          | cleared"#,
            r#"A PUT /items/1 {"_rev":"1-a"}               | conflict 1
           A PUT /items/1 {"_rev":"1-a","x":1}         | conflict 2
           A PUT /items/1 {"_rev":null}                | conflict 3
           A PUT /items/1 {"_rev":"2-b"} -> 201        | cleared"#,
            r#"A PUT /items/1 {"metadata":{"resourceVersion":"1"}}      | conflict 1
           A PUT /items/1 {"metadata":{"resourceVersion":1}}        | conflict 2
           A PUT /items/1?if_seq_no=4 -> 200           | cleared"#,
        ],
    );
}

#[test]
fn cleared_by_time_by_tries_and_never() {
    play(
        &clearing(Clear::After(Duration::from_secs(2)), Schedule::First(NonZeroU64::MIN)),
        &["A PUT /items/1                                | conflict 1
         +1s
         A PUT /items/1                                | conflict 2
         +1s
         A PUT /items/1 -> 200                         | cleared
         A PUT /items/1 -> 200                         | pass"],
    );
    let three = NonZeroU64::new(3).expect("not zero");
    play(
        &clearing(Clear::Tries(three), Schedule::First(NonZeroU64::MIN)),
        &["A PUT /items/1                                | conflict 1
         A GET /items/1 -> 200
         A PUT /items/1                                | conflict 2
         A PUT /items/1                                | conflict 3
         A PUT /items/1 -> 500                         | cleared
         A PUT /items/1 -> 200                         | pass
         A PUT /items/2                                | conflict 1"],
    );
    play(
        &clearing(Clear::Never, Schedule::First(NonZeroU64::MIN)),
        &[r#"A PUT /items/1 if-match:"1"                 | conflict 1
           A GET /items/1 -> 200
           +3000s
           A PUT /items/1 if-match:"2"                 | conflict 2
           B PUT /items/1 -> 200                       | pass"#],
    );
}

#[test]
fn after_the_upstream_applied_it() {
    for phase in [RulePhase::After, RulePhase::Lost(LostResponse::Closed)] {
        let two = NonZeroU64::new(2).expect("not zero");
        let trigger = playback::clearing(Schedule::First(two), phase, Clear::Refetch);
        let late = rule(&["PUT"], "/items/{id}", trigger, "path");
        play(
            &late,
            &[
                // A request that failed upstream was no conflict, and opened none.
                "A PUT /items/1 -> 500                     | conflict 1
             A PUT /items/1 -> 200                     | conflict 1
             A PUT /items/1 -> gone                    | conflict 2
             A GET /items/1 -> 200
             A PUT /items/1 -> 200                     | cleared
             A PUT /items/1 -> 200                     | pass",
            ],
        );
    }
}
