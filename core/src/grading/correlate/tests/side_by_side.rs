//! Equal requests of one identity: when they are tries of one call, when those of several, and when nobody
//! can tell.

use super::trace::check;

#[test]
fn what_a_call_says_of_itself_tells_calls_side_by_side_apart() {
    check(&[
        (
            "a key that comes back after another one: two calls",
            "0    10   POST /orders k=a b=1 > 409
             200  210  POST /orders k=b b=1 > 409
             600  610  POST /orders k=a b=1 > 201
             800  810  POST /orders k=b b=1 > 201",
            "Recovered: 1; 3 Marker +590
             Recovered: 2; 4 Marker +590",
        ),
        (
            "also if the other one has succeeded in between",
            "0    10   POST /orders k=a b=1 > 409
             200  210  POST /orders k=b b=1 > 201
             600  610  POST /orders k=a b=1 > 201",
            "Recovered: 1; 3 Marker +590
             Untroubled: 2",
        ),
        (
            "one that is kept, after another",
            "0    10   POST /orders k=a b=1 > 409
             200  210  POST /orders k=b b=1 > 409
             600  610  POST /orders k=b b=1 > 409",
            "Unfinished: 1
             Unfinished: 2; 3 Marker +390",
        ),
        (
            "a trace, on many connections",
            "0    10   PUT /items/1 n=1 t=a b=1 > 409
             200  210  PUT /items/1 n=2 t=b b=1 > 409
             600  610  PUT /items/1 n=3 t=a b=1 > 409
             900  910  PUT /items/1 n=4 t=b b=1 > 409",
            "Unfinished: 1; 3 Replay +590
             Unfinished: 2; 4 Replay +690",
        ),
        (
            "a trace that is kept on one connection",
            "0    10   PUT /items/1 n=1 t=a b=1 > 409
             200  210  PUT /items/1 n=1 t=b b=1 > 409
             900  910  PUT /items/1 n=1 t=b b=1 > 409",
            "Unfinished: 1
             Unfinished: 2; 3 Replay +690",
        ),
        (
            "connections, of which one was opened while the other lay idle",
            "0    10   PUT /items/1 n=1 b=1 > 409
             200  210  PUT /items/1 n=2 b=1 > 409
             1100 1110 PUT /items/1 n=1 b=1 > 409
             1300 1310 PUT /items/1 n=2 b=1 > 200",
            "Unfinished: 1; 3 Replay +1090
             Recovered: 2; 4 Replay +1090",
        ),
        (
            "and tries that are numbered",
            "0    10   PUT /items/1 n=1 try=1 b=1 > 409
             200  210  PUT /items/1 n=2 try=1 b=1 > 200
             1100 1110 PUT /items/1 n=3 try=2 b=1 > 200",
            "Recovered: 1; 3 Replay +1090
             Untroubled: 2",
        ),
    ]);
}

#[test]
fn equal_requests_on_new_connections_are_one_call_only_where_each_is_a_reaction() {
    check(&[
        (
            "a loop in a shell",
            "0    10   PUT /items/1 n=1 b=1 > 409
             70   80   PUT /items/1 n=2 b=1 > 409
             91   99   PUT /items/1 n=3 b=1 > 409",
            "Unfinished: 1; 2 Replay +60; 3 Replay +11",
        ),
        (
            "a longer one, of which the machine started one late",
            "0    10   PUT /items/1 n=1 b=1 > 409
             20   30   PUT /items/1 n=2 b=1 > 409
             190  200  PUT /items/1 n=3 b=1 > 409
             210  220  PUT /items/1 n=4 b=1 > 409
             230  240  PUT /items/1 n=5 b=1 > 409",
            "Unfinished: 1; 2 Replay +10; 3 Replay +160; 4 Replay +10; 5 Replay +10",
        ),
        (
            "workers, or one that waits",
            "0    10   PUT /items/1 n=1 b=1 > 409
             250  260  PUT /items/1 n=2 b=1 > 409
             500  510  PUT /items/1 n=3 b=1 > 409",
            "Unfinished: 1; 2 AmbiguousReplay +240; 3 AmbiguousReplay +240",
        ),
        (
            "one that waits, whatever it reads in between",
            "0    10   PUT /items/1 n=1 b=1 > 409
             510  520  PUT /items/1 n=2 b=1 > 409
             1000 1005 GET /items/1 n=9 > 200
             1020 1030 PUT /items/1 n=3 b=1 > 409
             1530 1540 PUT /items/1 n=4 b=1 > 409
             2040 2050 PUT /items/1 n=5 b=1 > 409",
            "Unfinished: 1; 2 SpacedReplay +500; 4 SpacedReplay +500 read 3; 5 SpacedReplay +500; 6 SpacedReplay +500
             Untroubled: 3",
        ),
        (
            "not of so few tries",
            "0    10   PUT /items/1 n=1 b=1 > 409
             510  520  PUT /items/1 n=2 b=1 > 409
             1020 1030 PUT /items/1 n=3 b=1 > 409
             1530 1540 PUT /items/1 n=4 b=1 > 409",
            "Unfinished: 1; 2 AmbiguousReplay +500; 3 AmbiguousReplay +500; 4 AmbiguousReplay +500",
        ),
        (
            "nor if something else was asked for in between",
            "0    10   PUT /items/1 n=1 b=1 > 409
             200  210  PUT /items/2 n=9 b=1 > 200
             510  520  PUT /items/1 n=2 b=1 > 409
             1020 1030 PUT /items/1 n=3 b=1 > 409
             1530 1540 PUT /items/1 n=4 b=1 > 409
             2040 2050 PUT /items/1 n=5 b=1 > 409",
            "Unfinished: 1; 3 AmbiguousReplay +500; 4 AmbiguousReplay +500; 5 AmbiguousReplay +500; 6 AmbiguousReplay +500
             Untroubled: 2",
        ),
        (
            "nor before Retry-After allows it: that may be another worker's",
            "0    10   PUT /items/1 n=1 b=1 > 409 ra=1
             510  520  PUT /items/1 n=2 b=1 > 409 ra=1
             1020 1030 PUT /items/1 n=3 b=1 > 409 ra=1
             1530 1540 PUT /items/1 n=4 b=1 > 409 ra=1
             2040 2050 PUT /items/1 n=5 b=1 > 409 ra=1",
            "Unfinished: 1; 2 AmbiguousReplay +500; 3 AmbiguousReplay +500; 4 AmbiguousReplay +500; 5 AmbiguousReplay +500",
        ),
        (
            "nor with another key, trace or body: that is likelier another call",
            "0    10   POST /orders c=1 n=1 k=a b=1 > 409
             510  520  POST /orders c=1 n=2 k=b b=1 > 409
             1020 1030 POST /orders c=1 n=3 k=c b=1 > 409
             1530 1540 POST /orders c=1 n=4 k=d b=1 > 409
             2040 2050 POST /orders c=1 n=5 k=e b=1 > 409
             0    10   PUT /items/1 c=2 n=11 t=a b=1 > 409
             510  520  PUT /items/1 c=2 n=12 t=b b=1 > 409
             1020 1030 PUT /items/1 c=2 n=13 t=c b=1 > 409
             1530 1540 PUT /items/1 c=2 n=14 t=d b=1 > 409
             2040 2050 PUT /items/1 c=2 n=15 t=e b=1 > 409
             0    10   PUT /items/2 c=3 n=21 b=1 > 409
             510  520  PUT /items/2 c=3 n=22 b=2 > 409
             1020 1030 PUT /items/2 c=3 n=23 b=3 > 409
             1530 1540 PUT /items/2 c=3 n=24 b=4 > 409
             2040 2050 PUT /items/2 c=3 n=25 b=5 > 409",
            "Unfinished: 1; 2 AmbiguousReplay +500; 3 AmbiguousReplay +500; 4 AmbiguousReplay +500; 5 AmbiguousReplay +500
             Unfinished: 6; 7 AmbiguousReplay +500; 8 AmbiguousReplay +500; 9 AmbiguousReplay +500; 10 AmbiguousReplay +500
             Unfinished: 11; 12 AmbiguousReplay +500; 13 AmbiguousReplay +500; 14 AmbiguousReplay +500; 15 AmbiguousReplay +500",
        ),
        (
            "nor in waits that get shorter",
            "0    10   PUT /items/1 n=1 b=1 > 409
             910  920  PUT /items/1 n=2 b=1 > 409
             1820 1830 PUT /items/1 n=3 b=1 > 409
             2730 2740 PUT /items/1 n=4 b=1 > 409
             3240 3250 PUT /items/1 n=5 b=1 > 409",
            "Unfinished: 1; 2 AmbiguousReplay +900; 3 AmbiguousReplay +900; 4 AmbiguousReplay +900; 5 AmbiguousReplay +500",
        ),
        (
            "nor in waits of which every second one is longer, as two callers make them",
            "0    10   PUT /items/1 n=1 b=1 > 409
             510  520  PUT /items/1 n=2 b=1 > 409
             1060 1070 PUT /items/1 n=3 b=1 > 409
             1570 1580 PUT /items/1 n=4 b=1 > 409
             2120 2130 PUT /items/1 n=5 b=1 > 409
             2630 2640 PUT /items/1 n=6 b=1 > 409",
            "Unfinished: 1; 2 AmbiguousReplay +500; 3 AmbiguousReplay +540; 4 AmbiguousReplay +500; 5 AmbiguousReplay +540; 6 AmbiguousReplay +500",
        ),
        (
            "nor by a clock, also if it is a fast one",
            "0    2    PUT /items/1 n=1 b=1 > 409
             70   82   PUT /items/1 n=2 b=1 > 409
             140  144  PUT /items/1 n=3 b=1 > 409
             210  229  PUT /items/1 n=4 b=1 > 409
             280  284  PUT /items/1 n=5 b=1 > 409",
            "Unfinished: 1; 2 AmbiguousReplay +68; 3 AmbiguousReplay +58; 4 AmbiguousReplay +66; 5 AmbiguousReplay +51",
        ),
        (
            "the second may be another call, and the third the retry of the first",
            "0    10   PUT /items/1 n=1 b=1 > 409 ra=1
             20   30   PUT /items/1 n=2 b=1 > 200
             1100 1110 PUT /items/1 n=3 b=1 > 200",
            "Recovered: 1; 2 AmbiguousReplay +10
             Untroubled: 3",
        ),
        (
            "one that waits, whose other calls have requests of their own",
            "0    10   PUT /items/1 n=1 b=1 > 409
             250  260  PUT /items/1 n=2 b=1 > 200
             300  310  PUT /items/2 n=3 b=1 > 409
             900  910  PUT /items/2 n=4 b=1 > 200",
            "Recovered: 1; 2 Replay +240
             Recovered: 3; 4 Replay +590",
        ),
    ]);
}

#[test]
fn equal_requests_on_one_connection_are_one_call_unless_something_says_otherwise() {
    check(&[
        (
            "waits that grow",
            "0    10   PUT /items/1 n=1 b=1 > 409
             210  220  PUT /items/1 n=1 b=1 > 409
             620  630  PUT /items/1 n=1 b=1 > 200",
            "Recovered: 1; 2 Replay +200; 3 Replay +400",
        ),
        (
            "waits that get shorter: calls that take turns on a pool's connection",
            "0    10   PUT /items/1 n=1 b=1 > 409
             250  260  PUT /items/1 n=1 b=1 > 409
             1100 1110 PUT /items/1 n=1 b=1 > 409
             1350 1360 PUT /items/1 n=1 b=1 > 409",
            "Unfinished: 1; 2 AmbiguousReplay +240; 3 AmbiguousReplay +840; 4 AmbiguousReplay +240",
        ),
        (
            "as it was asked to wait: that says nothing of the waits of its own",
            "0    10   PUT /items/1 n=1 b=1 > 409 ra=2
             2010 2020 PUT /items/1 n=1 b=1 > 409
             2100 2110 PUT /items/1 n=1 b=1 > 200",
            "Recovered: 1; 2 Replay +2000; 3 Replay +80",
        ),
        (
            "as it was asked to wait once, but not the next time: two that take turns",
            "0    10   PUT /items/1 n=1 b=1 > 409 ra=1
             120  130  PUT /items/1 n=1 b=1 > 409 ra=1
             1140 1150 PUT /items/1 n=1 b=1 > 409 ra=1
             1260 1270 PUT /items/1 n=1 b=1 > 409 ra=1",
            "Unfinished: 1; 2 AmbiguousReplay +110; 3 AmbiguousReplay +1010; 4 AmbiguousReplay +110",
        ),
        (
            "sent by a clock, however long an answer takes",
            "0    10   PUT /items/1 n=1 b=1 > 409
             120  160  PUT /items/1 n=1 b=1 > 409
             240  242  PUT /items/1 n=1 b=1 > 409
             360  390  PUT /items/1 n=1 b=1 > 409
             480  489  PUT /items/1 n=1 b=1 > 409",
            "Unfinished: 1; 2 AmbiguousReplay +110; 3 AmbiguousReplay +80; 4 AmbiguousReplay +118; 5 AmbiguousReplay +90",
        ),
        (
            "its like was under way elsewhere",
            "0    10   PUT /items/1 n=1 b=1 > 409
             5    15   PUT /items/1 n=2 b=1 > 409
             110  120  PUT /items/1 n=1 b=1 > 200
             115  125  PUT /items/1 n=2 b=1 > 200",
            "Recovered: 1; 3 AmbiguousReplay +100
             Recovered: 2; 4 AmbiguousReplay +100",
        ),
    ]);
}

#[test]
fn a_new_session_goes_on_with_what_the_old_one_was_refused() {
    check(&[
        (
            "on the same connection",
            "0    10   GET /me    c=1 s=1 n=1 p=a > 409 !session
             20   30   POST /login c=1 s=1 n=1 p=a > 204
             40   50   GET /me    c=2 s=2 n=1 p=a > 200",
            "Recovered: 1; 3 Replay +30
             Untroubled: 2",
        ),
        (
            "from the same address and User-Agent",
            "0    10   GET /me    c=1 s=1 n=1 p=a > 409 !session
             20   30   GET /me    c=2 s=2 n=2 p=a > 200",
            "Recovered: 1; 2 Replay +10",
        ),
        (
            "not from another, nor with the same credential, nor for something else, nor after another kind",
            "0    10   GET /me    c=1 s=1 n=1 p=a > 409 !session
             20   30   GET /me    c=2 s=2 n=2 p=b > 200
             40   50   GET /me    c=3 s=1 n=3 p=a > 200
             60   70   GET /you   c=2 s=2 n=1 p=a > 200
             80   90   GET /he    c=1 s=1 n=1 p=a > 409
             100  110  GET /he    c=2 s=2 n=1 p=a > 200",
            "Unfinished: 1
             Untroubled: 2
             Untroubled: 3
             Untroubled: 4
             Unfinished: 5
             Untroubled: 6",
        ),
    ]);
}
