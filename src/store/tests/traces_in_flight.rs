//! Triggers on requests in flight, request by request.

use http::StatusCode;

use super::playback::{Playback, on, rule};
use super::*;
use crate::engine::LEASE;
use crate::rules::State;

#[test]
fn overlap() {
    let state = on(State::Overlap { hold: Duration::ZERO });
    let writes = rule(&["PUT"], "/items/{id}", state, "path");
    for outcome in ["200", "201", "409", "500", "reset", "gone"] {
        let mut playback = Playback::new(writes.clone());
        playback.play(&format!(
            "1: A PUT /items/1                  | admit
             A PUT /items/1                     | conflict
             B PUT /items/1                     | conflict
             2: B PUT /items/2                  | admit
             B GET /items/1 -> 200
             1 -> {outcome}
             3: B PUT /items/1                  | admit
             A PUT /items/1                     | conflict
             2 -> {outcome}
             A PUT /items/1                     | conflict
             3 -> {outcome}
             A PUT /items/1 -> {outcome}        | admit
             A PUT /items/1 -> {outcome}        | admit",
        ));
        assert_eq!(playback.store().keys_of(Keyspace::State), 0, "{outcome}");
    }
    // A request outlives its lease, and ends when another one has entered.
    let lease = LEASE.as_secs();
    Playback::new(writes).play(&format!(
        "1: A PUT /items/1                      | admit
         +{}s
         B PUT /items/1                         | conflict
         +1s
         2: B PUT /items/1                      | admit
         1 -> 200
         C PUT /items/1                         | conflict
         2 -> 200
         C PUT /items/1 -> 200                  | admit",
        lease - 1
    ));
}

#[test]
fn key_in_use() {
    let state = on(State::KeyInUse { mismatch: StatusCode::UNPROCESSABLE_ENTITY });
    let orders = rule(&["POST"], "/orders", state, "header:idempotency-key");
    let play = |trace: &str| {
        let mut playback = Playback::new(orders.clone());
        playback.play(trace);
        playback.store().keys_of(Keyspace::State)
    };
    let kept = play(
        r#"1: A POST /orders idempotency-key:k {"a":1}                  | admit
           A POST /orders idempotency-key:k {"a":1}                     | conflict
           A POST /orders idempotency-key:k {"a":2}                     | conflict 422
           A POST /orders {"a":1} -> 201
           A POST /orders idempotency-key:l {"a":1} -> 201              | admit
           1 -> 201 {"id":7}
           A POST /orders idempotency-key:k {"a":1}                     | replay {"id":7}
           B POST /orders idempotency-key:k {"a":1}                     | replay {"id":7}
           A POST /orders idempotency-key:k {"a":2}                     | conflict 422
           A POST /orders?x idempotency-key:k {"a":1}                   | conflict 422
           +3599s
           A POST /orders idempotency-key:k {"a":1}                     | replay {"id":7}
           +3601s
           A POST /orders idempotency-key:k {"a":2} -> 201 {"id":8}     | admit
           A POST /orders idempotency-key:k {"a":2}                     | replay {"id":8}"#,
    );
    assert!(kept >= 1);
    // A request that was not accepted leaves the key free, for another payload too.
    for outcome in ["400", "409", "500", "reset", "gone"] {
        let kept = play(&format!(
            r#"1: A POST /orders idempotency-key:k {{"a":1}}              | admit
               A POST /orders idempotency-key:k {{"a":1}}                 | conflict
               1 -> {outcome}
               A POST /orders idempotency-key:k {{"a":2}} -> {outcome}    | admit"#
        ));
        assert_eq!(kept, 0, "{outcome}");
    }
    // A response that was not kept cannot be replayed; the key is taken all the same.
    for outcome in ["201 long", "201 gone"] {
        let kept = play(&format!(
            r#"A POST /orders idempotency-key:k {{"a":1}} -> {outcome} {{"id":7}}   | admit
               A POST /orders idempotency-key:k {{"a":2}}                 | conflict 422
               1: A POST /orders idempotency-key:k {{"a":1}}              | admit
               A POST /orders idempotency-key:k {{"a":1}}                 | conflict
               1 -> 201 {{"id":8}}
               A POST /orders idempotency-key:k {{"a":1}}                 | replay {{"id":8}}"#
        ));
        assert_eq!(kept, 1, "{outcome}");
    }
    // A request outlives its lease; its response comes late.
    play(&format!(
        r#"1: A POST /orders idempotency-key:k {{"a":1}}                  | admit
           +{}s
           2: A POST /orders idempotency-key:k {{"a":1}}                  | admit
           1 -> 201 {{"id":7}}
           A POST /orders idempotency-key:k {{"a":1}}                     | conflict
           2 -> 201 {{"id":8}}
           A POST /orders idempotency-key:k {{"a":1}}                     | replay {{"id":8}}"#,
        LEASE.as_secs()
    ));
}
