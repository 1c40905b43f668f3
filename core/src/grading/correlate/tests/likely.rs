//! What an attempt is taken for without a marker.

use super::trace::check;

#[test]
fn the_same_again_after_an_answer_that_may_be_retried_is_a_retry() {
    check(&[
        (
            "until it succeeds",
            "0  10 PUT /items/1 b=1 > 503
             50 60 PUT /items/1 b=1 > 429
             90 99 PUT /items/1 b=1 > 200",
            "Recovered: 1; 2 Replay +40; 3 Replay +30",
        ),
        (
            "until another answer ends it",
            "0  10 PUT /items/1 b=1 > -
             50 60 PUT /items/1 b=1 > 404",
            "GaveUp: 1; 2 Replay +40",
        ),
        (
            "after an answer that never came",
            "0  10 POST /orders b=1 > - !lost
             50 60 POST /orders b=1 > 201",
            "Recovered: 1; 2 Replay +40",
        ),
        (
            "a read that was refused",
            "0  10 GET /items q=1 > 409 !block
             50 60 GET /items q=1 > 200",
            "Recovered: 1; 2 Replay +40",
        ),
        (
            "put back into a queue, with other requests in between",
            "0  10 GET /items/1 > 503
             15 20 GET /items/2 > 200
             25 30 GET /items/3 > 503
             35 40 GET /items/1 > 200
             45 50 GET /items/3 > 200",
            "Recovered: 1; 4 Replay +25
             Untroubled: 2
             Recovered: 3; 5 Replay +15",
        ),
        (
            "of several that are the same, the one that was answered first goes on first",
            "0   10 POST /orders b=1 > 503
             1   20 POST /orders b=1 > 503
             100 110 POST /orders b=1 > 201
             120 130 POST /orders b=1 > 201",
            "Recovered: 1; 3 AmbiguousReplay +90
             Recovered: 2; 4 AmbiguousReplay +100",
        ),
        (
            "the same version tells which one goes on",
            "0   10 PUT /items/1 b=1 v=a > 503
             1   20 PUT /items/1 b=1 v=b > 503
             100 110 PUT /items/1 b=1 v=b > 200",
            "Unfinished: 1
             Recovered: 2; 3 Replay +80",
        ),
        (
            "a write that has succeeded before may be a new one",
            "0   10 POST /events b=1 > 201
             20  30 POST /events b=1 > 503
             100 110 POST /events b=1 > 201",
            "Untroubled: 1
             Recovered: 2; 3 AmbiguousReplay +70",
        ),
        (
            "but not one that carries the version it failed with",
            "0   10 PUT /items/1 b=1 v=a > 200
             20  30 PUT /items/1 b=1 v=b > 503
             100 110 PUT /items/1 b=1 v=b > 200",
            "Untroubled: 1
             Recovered: 2; 3 Replay +70",
        ),
        (
            "nor if a marker says so; and who keeps its keys has another call under another",
            "0   10 POST /events b=1 k=a > 201
             20  30 POST /events b=1 k=b > 503
             100 110 POST /events b=1 k=b > 201
             120 130 POST /events b=1 k=c > 503
             200 210 POST /events b=1 k=d > 201",
            "Untroubled: 1
             Recovered: 2; 3 Marker +70
             Unfinished: 4
             Untroubled: 5",
        ),
    ]);
}

#[test]
fn another_write_after_a_conflict_is_a_rebase() {
    check(&[
        (
            "read again, then written anew",
            "0  10 PUT /items/1 b=1 v=a > 409
             20 30 GET /items/1 > 200 v=b
             40 50 PUT /items/1 b=2 v=b > 200",
            "Recovered: 1; 3 Rebase +30 read 2
             Untroubled: 2",
        ),
        (
            "the same body over a new version",
            "0  10 PUT /items/1 b=1 v=a > 412 v=b
             40 50 PUT /items/1 b=1 v=b > 200",
            "Recovered: 1; 2 Rebase +30",
        ),
        (
            "patched instead of put, but not deleted",
            "0  10 PUT    /items/1 b=1 > 409
             20 30 DELETE /items/1 > 204
             40 50 PATCH  /items/1 b=2 > 200",
            "Recovered: 1; 3 Rebase +30
             Untroubled: 2",
        ),
        (
            "not after a failure: only the same again is a retry of that",
            "0  10 PUT /items/1 b=1 > 503
             40 50 PUT /items/1 b=2 > 200",
            "Unfinished: 1
             Untroubled: 2",
        ),
        (
            "several could have been written anew",
            "0  10 PUT /items/1 b=1 v=a > 409
             0  12 PUT /items/1 b=2 v=a > 409
             20 30 GET /items/1 > 200 v=b
             40 50 PUT /items/1 b=3 v=b > 200
             60 70 PUT /items/1 b=4 v=c > 200",
            "Recovered: 1; 4 AmbiguousReplay +30 read 3
             Recovered: 2; 5 AmbiguousReplay +48 read 3
             Untroubled: 3",
        ),
        (
            "posted anew, with a version in it",
            "0  10 POST /docs/1/update b=1 v=1 > 409
             40 50 POST /docs/1/update b=2 v=2 > 200",
            "Recovered: 1; 2 Rebase +30",
        ),
        (
            "posted anew under the key that the rule finds in it, which others do not have",
            "0  10 POST /users b=1 > 409 !dup/1
             11 20 POST /users b=2 > 409 !dup/2
             40 50 POST /users b=3 > 409 !dup/1",
            "Unfinished: 1; 3 Rebase +30
             Unfinished: 2",
        ),
    ]);
}

#[test]
fn only_what_was_read_since_the_answer_counts() {
    check(&[
        (
            "a read that was sent before the answer had come is none",
            "0  20 PUT /items/1 b=1 > 409
             10 30 GET /items/1 > 200
             40 50 PUT /items/1 b=1 > 200",
            "Recovered: 1; 3 Replay +20
             Untroubled: 2",
        ),
        (
            "nor is one that had not been answered when the next write was sent",
            "0  20 PUT /items/1 b=1 > 409
             30 60 GET /items/1 > 200
             40 50 PUT /items/1 b=1 > 200",
            "Recovered: 1; 3 Replay +20
             Untroubled: 2",
        ),
        (
            "nor another client's, nor one of something else; HEAD is one, and one that failed is shown",
            "0  20 PUT  /items/1 b=1 c=1 > 409
             30 40 GET  /items/1 c=2 > 200
             30 41 GET  /items/2 c=1 > 200
             30 42 GET  /items c=1 > 200
             30 43 GET  /items/1/parts c=1 > 200
             30 44 HEAD /items/1 c=1 > 200
             50 54 GET  /items/1 c=1 > 503
             60 70 PUT  /items/1 b=1 c=1 > 200",
            "Recovered: 1; 8 Replay +40 read 6,7
             Untroubled: 2
             Untroubled: 3
             Untroubled: 4
             Untroubled: 5
             Untroubled: 6
             Unfinished: 7",
        ),
        (
            "what a post may have made is an item of its collection",
            "0  20 POST /orders b=1 > -
             30 40 GET  /orders/9 > 200",
            "Unfinished: 1; then read 2
             Untroubled: 2",
        ),
        (
            "reads are shared by all that wait for one",
            "0  20 PATCH /items/1 b=1 > 409
             0  21 PATCH /items/1 b=2 > 409
             30 40 GET  /items/1 > 200
             50 60 PATCH /items/1 b=1 > 200
             50 61 PATCH /items/1 b=2 > 200",
            "Recovered: 1; 4 Replay +30 read 3
             Recovered: 2; 5 Replay +29 read 3
             Untroubled: 3",
        ),
    ]);
}

#[test]
fn what_a_rule_refused_with_a_2xx_is_no_success() {
    check(&[
        (
            "a client that takes it for one has dropped its write",
            "0  10 POST /_bulk b=1 > 200 !bulk",
            "Unfinished: 1",
        ),
        (
            "the same again is a retry",
            "0  10 POST /_bulk b=1 > 201 !bulk
             50 60 POST /_bulk b=1 > 201",
            "Recovered: 1; 2 Replay +40",
        ),
        (
            "another one has its parts or others: whose success it is is not known",
            "0  10 POST /_bulk b=1 > 200 !bulk
             50 60 POST /_bulk b=2 > 200",
            "Unfinished: 1; 2 AmbiguousReplay +40",
        ),
        (
            "until the last one is refused",
            "0  10 POST /graphql b=1 > 200 !rule
             50 60 POST /graphql b=2 > 200 !rule
             70 80 POST /graphql b=3 > 400",
            "GaveUp: 1; 2 AmbiguousReplay +40; 3 AmbiguousReplay +10",
        ),
        (
            "a write to an item is refused as a whole",
            "0  10 PUT /items/1 b=1 v=a > 200 !rule
             20 30 GET /items/1 > 200 v=b
             50 60 PUT /items/1 b=2 v=b > 200",
            "Recovered: 1; 3 Rebase +40 read 2
             Untroubled: 2",
        ),
        (
            "a read that is refused so shows nothing",
            "0  10 PUT /items/1 b=1 v=a > 409
             20 30 GET /items/1 > 200 !rule
             50 60 PUT /items/1 b=1 v=a > 409",
            "Unfinished: 1; 3 Replay +40
             Unfinished: 2",
        ),
    ]);
}
