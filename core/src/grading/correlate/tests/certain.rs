//! What markers say, and what is no retry at all.

use super::trace::check;

#[test]
fn markers_decide_both_ways() {
    check(&[
        (
            "a mark of the call joins what differs in its body",
            "0  10 POST /orders m=a b=1 > 503
             50 60 POST /orders m=a b=2 > 201",
            "Recovered: 1; 2 Marker +40",
        ),
        (
            "two marks keep apart what is the same",
            "0  10 POST /orders m=a b=1 > 503
             50 60 POST /orders m=b b=1 > 201",
            "Unfinished: 1
             Untroubled: 2",
        ),
        (
            "a key reused for another payload, before it succeeded, is the same call",
            "0  10 POST /orders k=a b=1 > 409
             50 60 POST /orders k=a b=2 > 422 !mismatch
             90 99 POST /orders k=a b=1 > 201",
            "Recovered: 1; 2 Marker +40; 3 Marker +30",
        ),
        (
            "a key used again after the success is a new call, soon or late",
            "0  10 POST /orders k=a b=1 > 201
             50 60 POST /orders k=a b=1 > 201
             90000 90001 POST /orders k=a b=1 > 201",
            "Untroubled: 1
             Untroubled: 2
             Untroubled: 3",
        ),
        (
            "a hedge, sent before the success was known, is a part of the call",
            "0  50 POST /orders k=a b=1 > 409
             60 90 POST /orders k=a b=1 > 201
             70 99 POST /orders k=a b=1 > 409",
            "Recovered: 1; 2 Marker +10; 3 Marker at once",
        ),
        (
            "clients do not share keys",
            "0  10 POST /orders c=1 k=a b=1 > 409
             50 60 POST /orders c=2 k=a b=1 > 201",
            "Unfinished: 1
             Untroubled: 2",
        ),
        (
            "a key means something at one path only",
            "0  10 POST /orders   k=a b=1 > 409
             50 60 POST /invoices k=a b=1 > 201",
            "Unfinished: 1
             Untroubled: 2",
        ),
        (
            "a client that makes a new key for each try is found out by its body",
            "0  10 POST /orders k=a b=1 > 409
             50 60 POST /orders k=b b=1 > 409
             90 99 POST /orders k=c b=1 > 201",
            "Recovered: 1; 2 Replay +40; 3 Replay +30",
        ),
        (
            "a key beats the order in which answers came",
            "0  10 POST /orders k=a b=1 > 503
             5  12 POST /orders k=b b=1 > 503
             50 60 POST /orders k=b b=1 > 201
             55 65 POST /orders k=a b=1 > 201",
            "Recovered: 1; 4 Marker +45
             Recovered: 2; 3 Marker +38",
        ),
        (
            "a final answer does not end a call that is marked",
            "0  10 POST /tables m=a b=1 > 400
             50 60 POST /tables m=a b=1 > 200",
            "Recovered: 1; 2 Marker +40",
        ),
    ]);
}

#[test]
fn what_looks_alike_is_not_glued_together() {
    check(&[
        (
            "the same twice on purpose",
            "0  10 POST /orders b=1 > 201
             50 60 POST /orders b=1 > 201",
            "Untroubled: 1
             Untroubled: 2",
        ),
        (
            "polling",
            "0  10 GET /jobs/7 > 200
             50 60 GET /jobs/7 > 200
             90 99 GET /jobs/7 > 304",
            "Untroubled: 1
             Untroubled: 2
             Untroubled: 3",
        ),
        (
            "waiting for something to be there",
            "0  10 GET /jobs/7 > 404
             50 60 GET /jobs/7 > 404
             90 99 GET /jobs/7 > 200",
            "GaveUp: 1
             GaveUp: 2
             Untroubled: 3",
        ),
        (
            "redirects, the last one to itself with a cookie",
            "0  10 POST /orders b=1 > 303
             11 20 GET  /orders/1 > 302
             21 30 GET  /orders/1 > 200",
            "Untroubled: 1
             Untroubled: 2
             Untroubled: 3",
        ),
        (
            "pages of which one failed",
            "0  10 GET /items q=1 > 200
             11 20 GET /items q=2 > 503
             21 30 GET /items q=3 > 200
             99 100 GET /items q=2 > 200",
            "Untroubled: 1
             Recovered: 2; 4 Replay +79
             Untroubled: 3",
        ),
        (
            "one after the other of a collection, whatever became of it",
            "0  10 POST /users b=1 > 409 !dup/1
             11 20 POST /users b=2 > 409 !dup/2
             21 30 POST /users b=3 > 201",
            "Unfinished: 1
             Unfinished: 2
             Untroubled: 3",
        ),
        (
            "a rule with one key for all tells nothing apart",
            "0  10 POST /users b=1 > 409 !flaky/1
             11 20 POST /users b=2 > 409 !flaky/1",
            "Unfinished: 1
             Unfinished: 2",
        ),
        (
            "items side by side",
            "0  30 PUT /items/1 b=1 > 409
             1  10 PUT /items/2 b=1 > 409
             2  20 PUT /items/3 b=1 > 409
             40 50 PUT /items/3 b=2 > 200
             41 51 PUT /items/1 b=1 > 200",
            "Recovered: 1; 5 Replay +11
             Unfinished: 2
             Recovered: 3; 4 Rebase +20",
        ),
        (
            "two at the same time are no retry of each other",
            "0  20 PUT /items/1 b=1 > 409
             10 30 PUT /items/1 b=1 > 409
             10 40 PUT /items/1 b=2 > 200",
            "Unfinished: 1
             Unfinished: 2
             Untroubled: 3",
        ),
        (
            "after a final answer",
            "0  10 PUT /items/1 b=1 > 422
             11 20 PUT /items/1 b=1 > 200",
            "GaveUp: 1
             Untroubled: 2",
        ),
        (
            "other bodies that were too long to be looked at differ in length",
            "0  10 PUT /blobs/1 bytes=70000 > 503
             11 20 PUT /blobs/1 bytes=80000 > 201
             21 30 PUT /blobs/1 bytes=70000 > 201",
            "Recovered: 1; 3 Replay +11
             Untroubled: 2",
        ),
    ]);
}
