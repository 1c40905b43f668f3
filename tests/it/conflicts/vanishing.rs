//! Clients that vanish leave no state behind.

use std::sync::Mutex;
use std::sync::mpsc::channel;

use crate::support::LONG;
use crate::support::proxy;
use crate::support::upstream::Upstream;

const KEYS: usize = 100;
const ROUNDS: usize = 100;

#[test]
fn ten_thousand_clients_that_leave_while_they_hold_a_key_hold_it_no_longer() {
    // It never responds to a client that is about to leave, and sees each of them end.
    let (arrival, arrivals) = channel();
    let arrival = Mutex::new(arrival);
    let upstream = Upstream::playing(move |talk| {
        while let Some(request) = talk.request() {
            if request.header("stays").is_none() {
                let arrival = arrival.lock().expect("no panic").clone();
                arrival.send(()).expect("the test waits");
                talk.socket.ended();
                return;
            }
            talk.socket.send("HTTP/1.1 204 No Content\r\n\r\n");
        }
    });
    let rules = r#"
        [[rule]]
        name = "overlap"
        method = "PUT"
        on = "overlap"
        [[rule]]
        name = "in-use"
        method = "POST"
        on = "key_in_use"
        per = "path"
    "#;
    let proxy = proxy::before(upstream.address).rules(rules).start();
    let request = |key: usize, headers: &str| {
        let method = if key.is_multiple_of(2) { "PUT" } else { "POST" };
        format!("{method} /items/{key} HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n{headers}\r\n")
    };
    for _ in 0..ROUNDS {
        let clients: Vec<_> = (0..KEYS)
            .map(|key| {
                let mut client = proxy.connect();
                client.send(request(key, ""));
                client
            })
            .collect();
        for _ in 0..KEYS {
            arrivals.recv_timeout(LONG).expect("a request");
        }
        drop(clients);
        for _ in 0..KEYS {
            upstream.ended();
        }
    }
    for key in 0..KEYS {
        let response = proxy.ask(request(key, "Stays: yes\r\n"));
        assert_eq!(response.status(), 204, "key {key} is still held: {:?}", response.header("fracas"));
    }
}
