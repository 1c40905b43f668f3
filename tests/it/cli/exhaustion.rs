//! A process that has no file descriptor left, and gets some back.

use std::process::Command;

use fracas::clock::Clock;

use crate::support::LONG;
use crate::support::program::{Serving, folder, fracas};
use crate::support::socket::Socket;
use crate::support::upstream::Upstream;

const GET: &str = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

#[test]
fn c32_without_file_descriptors_it_says_503_and_recovers() {
    let (release, released) = std::sync::mpsc::channel::<()>();
    let released = std::sync::Mutex::new(released);
    let upstream = Upstream::playing(move |talk| {
        while let Some(request) = talk.request() {
            if request.target() == "/hold" {
                let _ = released.lock().expect("no panic").recv();
            }
            if talk.socket.try_send(OK).is_err() {
                return;
            }
        }
    });
    let folder = folder(&[("rules.toml", "")]);
    let program = fracas(folder.path());
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 64 && exec \"$0\" \"$@\""]).arg(program.get_program());
    command.args([
        "-l",
        "127.0.0.1:0",
        "-a",
        "off",
        "-w",
        "1",
        "-u",
        &format!("http://{}", upstream.address),
    ]);
    command.current_dir(folder.path()).env("TZ", "UTC");
    let mut serving = Serving::start(command);

    let mut holding = Socket::connect(serving.address);
    let mut other = Socket::connect(serving.address);
    for client in [&mut holding, &mut other] {
        client.send(GET);
        assert_eq!(client.answer().status(), 200);
    }
    // Takes the only connection to the upstream.
    holding.send("GET /hold HTTP/1.1\r\nHost: localhost\r\n\r\n");
    while upstream.requests().len() < 3 {
        std::thread::yield_now();
    }
    let idle: Vec<Socket> = (0..100).map(|_| Socket::connect(serving.address)).collect();
    while !serving.line().contains("cannot accept connections for now") {}

    other.send(GET);
    let answer = other.answer();
    assert_eq!((answer.status(), answer.header("fracas")), (503, Some("error=exhausted")));

    drop(idle);
    let clock = Clock::start();
    loop {
        other.send(GET);
        if other.answer().status() == 200 {
            break;
        }
        assert!(clock.now().0 < LONG.as_nanos() as u64, "it does not recover");
    }
    let mut newcomer = Socket::connect(serving.address);
    newcomer.send(GET);
    assert_eq!(newcomer.answer().status(), 200);
    drop(release);
    assert_eq!(holding.answer().status(), 200);
}
