//! nginx as an upstream: here it is spoken to in HTTP/2, with prior knowledge.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::binary::Fracas;
use crate::http2::printed;

/// A server that keeps bodies posted to `/keep`, gives them back, and ends a connection after so many
/// requests. Every response tells the protocol and the connection it was asked over.
const CONFIG: &str = r#"
daemon off; master_process off; pid pid; error_log stderr notice;
events {}
http {
  access_log off; keepalive_requests EACH_CONNECTION; default_type application/octet-stream;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  server {
    listen ADDRESS http2; root files;
    add_header X-Spoken $server_protocol always; add_header X-Connection $connection always;
    location = /keep { client_max_body_size 16m; proxy_method PUT; proxy_pass http://unix:FOLDER/keeper:/kept; }
    location = /brief { client_max_body_size 1k; proxy_pass http://unix:FOLDER/keeper:/kept; }
    location = /item { return 200 '{"id":7}'; }
  }
  server { listen unix:FOLDER/keeper; root files; dav_methods PUT; client_max_body_size 16m; }
}
"#;
/// A WebDAV server.
pub const DAV: &str = r#"
daemon off; master_process off; pid pid; error_log stderr notice;
events {}
http {
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  server { listen ADDRESS; root files; dav_methods PUT DELETE MOVE COPY; }
}
"#;
const EACH_CONNECTION: u64 = 200;
/// Said once nginx listens.
const READY: &str = "getrlimit";
/// More than all windows and buffers on the way, and no round number.
const BIG: usize = 5_000_003;

/// Dropping it ends it.
pub struct Nginx {
    child: Child,
    pub address: String,
    folder: TempDir,
}

impl Nginx {
    fn start() -> Nginx {
        Nginx::serving(CONFIG)
    }

    /// Starts it with this configuration.
    pub fn serving(config: &str) -> Nginx {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("files")).expect("it is new");
        let free = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
        let address = free.expect("a free port").to_string();
        let config = config
            .replace("ADDRESS", &address)
            .replace("EACH_CONNECTION", &EACH_CONNECTION.to_string())
            .replace("FOLDER", &folder.path().to_string_lossy());
        fs::write(folder.path().join("nginx.conf"), config).expect("it can be written");
        let mut child = Command::new("nginx")
            .arg("-p")
            .arg(folder.path())
            .args(["-e", "stderr", "-c", "nginx.conf"])
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("tests/run installs it");
        let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines().map_while(Result::ok);
        let said: Vec<String> = lines.by_ref().take_while(|line| !line.contains(READY)).collect();
        assert!(child.try_wait().expect("a child").is_none(), "it does not serve: {said:#?}");
        std::thread::Builder::new().spawn(move || lines.for_each(drop)).expect("a thread");
        Nginx { child, address, folder }
    }

    /// The folder that it serves.
    pub fn files(&self) -> PathBuf {
        self.folder.path().join("files")
    }

    fn kept(&self) -> PathBuf {
        self.files().join("kept")
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// curl's response.
struct Answer {
    status: u16,
    /// In lower case.
    head: String,
    body: Vec<u8>,
}

impl Answer {
    /// Which of its connections nginx was asked on, over HTTP/2.
    fn connection(&self) -> u64 {
        assert!(self.head.contains("x-spoken: http/2.0\r\n"), "{}", self.head);
        let connection = self.head.lines().find_map(|line| line.strip_prefix("x-connection: "));
        connection.and_then(|number| number.parse().ok()).expect("nginx says which")
    }
}

/// Runs curl in a folder.
fn curl(folder: &Path, arguments: &[&str]) -> Answer {
    let [head, body] = ["head", "body"].map(|name| folder.join(name));
    let _ = fs::remove_file(&body);
    let mut command = Command::new("curl");
    command.args(["-sS", "--max-time", "60", "-w", "%{http_code}", "-D"]).arg(&head).arg("-o").arg(&body);
    let output = command.args(arguments).stdin(Stdio::null()).output().expect("tests/run installs it");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {}\n{said}", output.status);
    Answer {
        status: String::from_utf8_lossy(&output.stdout).parse().expect("a status"),
        head: fs::read_to_string(head).expect("a head").to_lowercase(),
        body: fs::read(body).unwrap_or_default(),
    }
}

#[test]
fn nginx_is_spoken_to_in_http2() {
    let nginx = Nginx::start();
    let fracas = Fracas::start(&format!("upstream = \"h2c://{}\"\nworkers = 1\n", nginx.address));
    let client = tempfile::tempdir().expect("a folder");
    let upload = client.path().join("upload");
    let bytes: Vec<u8> = (0..BIG).map(|at| (at % 251) as u8).collect();
    fs::write(&upload, &bytes).expect("it can be written");
    let upload = format!("@{}", upload.display());
    let mut connections = Vec::new();
    for how in ["--http1.1", "--http2-prior-knowledge"] {
        let mut ask = |path: &str, arguments: &[&str]| {
            let url = format!("http://{}{path}", fracas.address());
            let response = curl(client.path(), &[&[how, &url], arguments].concat());
            connections.push(response.connection());
            response
        };
        let response = ask("/item", &[]);
        assert_eq!((response.status, &response.body[..]), (200, &br#"{"id":7}"#[..]), "{how}");

        let _ = fs::remove_file(nginx.kept());
        assert_eq!(ask("/keep", &["--data-binary", &upload]).status, 201, "{how}");
        assert!(fs::read(nginx.kept()).expect("a file") == bytes, "{how}: other bytes are kept");

        let response = ask("/kept", &["--head"]);
        assert_eq!(response.status, 200, "{how}");
        assert!(response.head.contains(&format!("content-length: {BIG}\r\n")), "{how}: {}", response.head);
        let response = ask("/kept", &[]);
        assert_eq!(response.status, 200, "{how}");
        assert!(response.body == bytes, "{how}: {} of {BIG} bytes came, or others", response.body.len());

        let response = ask("/missing", &[]);
        assert_eq!(response.status, 404, "{how}");
        assert!(String::from_utf8_lossy(&response.body).contains("nginx"), "{how}: its own page");

        // Refused by its length, while the body is on its way.
        assert_eq!(ask("/brief", &["--data-binary", &upload]).status, 413, "{how}");
    }
    connections.dedup();
    assert_eq!(connections.len(), 1, "streams of one connection");
}

#[test]
fn no_request_is_lost_when_nginx_ends_connections_that_were_asked_enough() {
    let nginx = Nginx::start();
    let fracas = Fracas::start(&format!("upstream = \"h2c://{}\"\nworkers = 1\n", nginx.address));
    let url = format!("http://{}/item", fracas.address());
    let client = tempfile::tempdir().expect("a folder");
    let connection = || curl(client.path(), &[&url]).connection();
    let before = connection();
    let said = printed("h2load", &["-n", "3000", "-c", "4", "-m", "20", &url]);
    assert!(said.contains("status codes: 3000 2xx, 0 3xx, 0 4xx, 0 5xx"), "{said}");
    assert!(connection() >= before + 3000 / EACH_CONNECTION, "it ended none of them");
}
