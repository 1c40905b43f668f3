//! Unread uploads: the other streams of their connection go on (RFC 9113 §5.2).

use bytes::Bytes;
use http::Request;

use super::super::super::support::LONG;
use super::super::super::support::http2::{Client, exchange};
use super::super::super::support::proxy;
use super::super::super::support::upstream::Upstream;

#[test]
fn uploads_that_nobody_reads_do_not_hold_up_their_neighbours() {
    let upstream = Upstream::echoing();
    for stalled in [4, 12, 99] {
        // The rule responds in a minute; until then the body is unread.
        let rule = "[[rule]]\npath = \"/unread\"\nreply = { delay = \"60s\" }\n";
        let proxy = proxy::before(upstream.address).rules(rule).start();
        let mut client = Client::connect(proxy.address);
        let piece = Bytes::from(vec![b'x'; 1 << 20]);
        let uploads: Vec<_> = (0..stalled)
            .map(|_| {
                let request = Request::post("http://h/unread").body(()).expect("a request");
                let (answer, mut to) = client.sender.send_request(request, false).expect("room for a stream");
                to.send_data(piece.clone(), false).expect("it listens");
                (answer, to)
            })
            .collect();
        let request = Request::post("http://h/read").body(()).expect("a request");
        let exchange = exchange(client.sender.clone(), request, vec![piece.clone()], None);
        let answer = client.runtime.block_on(async { tokio::time::timeout(LONG, exchange).await });
        let answer = answer.unwrap_or_else(|_| panic!("beside {stalled} nothing moves")).expect("an answer");
        assert!(answer.body == piece, "beside {stalled}");
        drop(uploads);
    }
}
