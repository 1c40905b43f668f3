//! File descriptors: a process that has few, none left, or gets some back.

use std::process::Command;

use fracas::clock::Clock;

use crate::support::LONG;
use crate::support::program::{Serving, folder, fracas};
use crate::support::socket::Socket;
use crate::support::upstream::Upstream;

const GET: &str = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// A proxy of one worker before `upstream`, started under `ulimit` in a shell.
fn start(limits: &str, upstream: &Upstream, rules: &str) -> Serving {
    let folder = folder(&[("rules.toml", rules)]);
    let program = fracas(folder.path());
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{limits} && exec \"$0\" \"$@\"")]).arg(program.get_program());
    let upstream = format!("http://{}", upstream.address);
    command.args(["-l", "127.0.0.1:0", "-w", "1", "-u", &upstream]);
    command.current_dir(folder.path()).env("TZ", "UTC");
    Serving::start(command)
}

/// Asks until the response is 200.
fn until_served(client: &mut Socket) {
    let clock = Clock::start();
    loop {
        client.send(GET);
        if client.response().status() == 200 {
            break;
        }
        assert!(clock.now().0 < LONG.as_nanos() as u64, "it does not recover");
    }
}

#[test]
fn c32_a_newcomer_for_whom_there_is_no_descriptor_gets_a_503_and_those_that_are_in_are_served() {
    let upstream = Upstream::answering(OK);
    let serving = start("ulimit -n 64", &upstream, "");
    let mut inside = Socket::connect(serving.address);
    inside.send(GET);
    assert_eq!(inside.response().status(), 200);
    let mut others: Vec<Socket> = (0..100).map(|_| Socket::connect(serving.address)).collect();
    let mut newcomer = others.pop().expect("a hundred");
    newcomer.send(GET);
    inside.send(GET);
    assert_eq!(inside.response().status(), 200, "it has its place, and the upstream a descriptor");
    let response = newcomer.response();
    assert_eq!((response.status(), response.header("fracas")), (503, Some("error=exhausted")));
    assert_eq!(response.header("connection"), Some("close"));
    newcomer.ended();
    drop(others);
    let clock = Clock::start();
    loop {
        let mut next = Socket::connect(serving.address);
        next.send(GET);
        if next.response().status() == 200 {
            break;
        }
        assert!(clock.now().0 < LONG.as_nanos() as u64, "it does not recover");
    }
}

#[test]
fn the_soft_limit_is_raised_and_one_that_is_too_low_for_what_is_asked_is_told() {
    let upstream = Upstream::answering(OK);
    let serving = start("ulimit -S -n 64", &upstream, "");
    let clients: Vec<Socket> = (0..200)
        .map(|_| {
            let mut client = Socket::connect(serving.address);
            client.send(GET);
            client
        })
        .collect();
    for mut client in clients {
        assert_eq!(client.response().status(), 200);
    }
    for (rules, is_told) in [("", false), ("limits = { connections = 500 }\n", true)] {
        let serving = start("ulimit -n 800", &upstream, rules);
        serving.signal("TERM");
        let start = serving.start.join("\n");
        let (_, _, err) = serving.end();
        let err = start + &err;
        let said =
            "500 connections need 1060 file descriptors, and this process may have 800: 370 are served";
        assert_eq!(err.contains(said), is_told, "{err}");
    }
}

/// The system's limit is lower than that of the start: fracas could not foresee it.
#[cfg(target_os = "linux")]
#[test]
fn c32_without_file_descriptors_it_says_503_and_recovers() {
    use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};

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
    let mut serving = start("true", &upstream, "");
    let mut holding = Socket::connect(serving.address);
    let mut other = Socket::connect(serving.address);
    for client in [&mut holding, &mut other] {
        client.send(GET);
        assert_eq!(client.response().status(), 200);
    }
    // Takes the only connection to the upstream.
    holding.send("GET /hold HTTP/1.1\r\nHost: localhost\r\n\r\n");
    while upstream.requests().len() < 3 {
        std::thread::yield_now();
    }
    let process = i32::try_from(serving.id()).ok().and_then(Pid::from_raw);
    let open = std::fs::read_dir(format!("/proc/{}/fd", serving.id())).expect("a process").count();
    let limit = Rlimit { current: Some(open as u64), ..getrlimit(Resource::Nofile) };
    let before = prlimit(process, Resource::Nofile, limit).expect("the limit of a child");

    let newcomer = Socket::connect(serving.address);
    while !serving.line().contains("cannot accept connections for now") {}
    other.send(GET);
    let response = other.response();
    assert_eq!((response.status(), response.header("fracas")), (503, Some("error=exhausted")));

    prlimit(process, Resource::Nofile, before).expect("the limit of a child");
    until_served(&mut other);
    let mut newcomer = newcomer;
    until_served(&mut newcomer);
    drop(release);
    assert_eq!(holding.response().status(), 200);
    serving.signal("TERM");
    let (_, _, err) = serving.end();
    assert_eq!(
        err.matches("cannot accept connections for now").count(),
        0,
        "told once in ten seconds: {err}"
    );
}
