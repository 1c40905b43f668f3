//! Servers that check a request's site, and clients that keep URLs of responses: with the proxy in between,
//! both go on as without it.

use std::process::Command;

use serde_json::json;

use crate::binary::Fracas;
use crate::client::{Runs, run};
use crate::conflicts::stage::Server;
use crate::nginx::{DAV, Nginx};

#[test]
fn django_takes_forms_of_its_own_pages_and_refuses_those_of_others() {
    let server = Server::start(Runs::Python, "rewriting/django_server.py");
    let expected = json!({ "own": 200, "foreign": 403 });
    assert_eq!(run(Runs::Python, "rewriting/django_client.py", &[&server.url]), expected, "directly");
    for (base, host, name) in [
        ("", "upstream", "127.0.0.1"),
        ("", "upstream", "localhost"),
        ("/base", "upstream", "127.0.0.1"),
        ("", "client", "127.0.0.1"),
    ] {
        let fracas = Fracas::start(&format!("upstream = \"{}{base}\"\nhost = \"{host}\"\n", server.url));
        let url = format!("http://{name}:{}", fracas.address().port());
        let found = run(Runs::Python, "rewriting/django_client.py", &[&url]);
        assert_eq!(found, expected, "host = {host}, {base}, asked as {name}");
    }
}

#[test]
fn wsgidav_moves_and_locks_what_it_is_asked_to_below_its_base_path() {
    for host in ["upstream", "client"] {
        let server = Server::start(Runs::Python, "rewriting/webdav_server.py");
        let fracas = Fracas::start(&format!("upstream = \"{}/dav\"\nhost = \"{host}\"\n", server.url));
        let url = format!("http://{}", fracas.address());
        let found = run(Runs::Python, "rewriting/webdav_client.py", &[&url, &server.url]);
        assert_eq!(
            found,
            json!({
                "put": 201, "move": 201, "copy": 201, "elsewhere": 502, "lock": 200, "refused": 423, "tagged": 201,
                "root": ["/", "/dav/"], "dav": ["/dav/", "/dav/caf%C3%A9.txt", "/dav/d.txt"],
            }),
            "host = {host}"
        );
    }
}

#[test]
fn nginx_moves_what_it_is_asked_to_below_its_base_path() {
    for (host, name) in [
        ("upstream", "127.0.0.1"),
        ("upstream", "localhost"),
        ("client", "127.0.0.1"),
        ("client", "localhost"),
    ] {
        let nginx = Nginx::serving(DAV);
        let folder = nginx.files().join("dav");
        std::fs::create_dir(&folder)
            .and_then(|()| std::fs::write(folder.join("a.txt"), "a"))
            .expect("written");
        let fracas =
            Fracas::start(&format!("upstream = \"http://{}/dav\"\nhost = \"{host}\"\n", nginx.address));
        let url = format!("http://{name}:{}", fracas.address().port());
        let status = Command::new("curl")
            .args(["-sS", "-o", "/dev/null", "-w", "%{http_code}", "-X", "MOVE", "-H"])
            .args([format!("Destination: {url}/b.txt"), format!("{url}/a.txt")])
            .output()
            .expect("tests/run installs it");
        let moved = (folder.join("b.txt").exists(), nginx.files().join("b.txt").exists());
        assert_eq!((&*status.stdout, moved), (&b"204"[..], (true, false)), "host = {host}, asked as {name}");
    }
}

#[test]
fn browsers_keep_and_return_cookies_of_an_https_upstream_over_http() {
    let server = Server::start(Runs::Python, "rewriting/cookies_server.py");
    let all = json!(["__Host-name", "__Secure-name", "none", "parted", "plain", "secure"]);
    let rules = format!("upstream = \"{}\"\nupstream_tls = {{ insecure = true }}\n", server.url);
    let fracas = Fracas::start(&rules);
    for name in ["127.0.0.1", "localhost"] {
        let url = format!("http://{name}:{}", fracas.address().port());
        let found = run(Runs::Python, "rewriting/cookies_clients.py", &[&url]);
        assert_eq!(found, json!({ "chromium": all, "requests": all }), "asked as {name}");
    }
}
