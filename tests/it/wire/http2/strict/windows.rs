//! Windows are kept to, and PINGs answered (RFC 9113 §6.5.3, §6.7, §6.9).

use super::super::super::super::support::frames::{
    ACK, DATA, END_STREAM, Frame, Frames, HEADERS, PING, SETTINGS, get, setting,
};
use super::super::super::super::support::proxy::{self, TestProxy};
use super::super::super::super::support::upstream::Upstream;
use super::{ping, upstream, window_update};

const INITIAL_WINDOW_SIZE: u16 = 4;

fn start() -> (Upstream, TestProxy) {
    let upstream = upstream();
    let proxy = proxy::before(upstream.address).start();
    (upstream, proxy)
}

fn window(size: u32) -> Vec<u8> {
    setting(INITIAL_WINDOW_SIZE, size)
}

/// The next piece of stream 1's body, and whether it is the last.
fn piece(client: &mut Frames) -> (Vec<u8>, bool) {
    let data = client.until(|frame| frame.kind == DATA && frame.stream == 1);
    (data.payload, data.flags & END_STREAM != 0)
}

#[test]
fn c39_a_window_of_one_lets_one_octet_through() {
    let (_upstream, proxy) = start();
    // Of two settings of one name the last counts.
    let mut client = Frames::connect_with(proxy.address, &[window(100), window(1)].concat());
    client.send(&get(1));
    assert_eq!(piece(&mut client), (b"o".to_vec(), false));
    client.send(&window_update(1, 1));
    assert_eq!(piece(&mut client), (b"k".to_vec(), true));
}

#[test]
fn c39_a_setting_changes_the_windows_of_open_streams() {
    let (_upstream, proxy) = start();
    let mut client = Frames::connect_with(proxy.address, &window(0));
    client.send(&get(1));
    client.until(|frame| frame.kind == HEADERS && frame.stream == 1);
    client.send(&Frame::new(SETTINGS, 0, 0, window(1)));
    assert_eq!(piece(&mut client), (b"o".to_vec(), false));
    // One octet less than none, so that one more lets nothing through.
    client.send(&Frame::new(SETTINGS, 0, 0, window(0)));
    client.send(&window_update(1, 1));
    client.send(&ping());
    let next = client.until(|frame| frame.kind == PING || frame.kind == DATA);
    assert_eq!(next.kind, PING);
    client.send(&window_update(1, 1));
    assert_eq!(piece(&mut client), (b"k".to_vec(), true));
}

#[test]
fn c39_a_ping_is_answered_with_what_it_held() {
    let (_upstream, proxy) = start();
    let mut client = Frames::connect(proxy.address);
    client.send(&ping());
    let response = client.until(|frame| frame.kind == PING);
    assert_eq!(response, Frame::new(PING, ACK, 0, *b"fracas-1"));
}
