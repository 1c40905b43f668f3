//! Tools that people use to play faults, on Python, the JVM and Node.

use std::fs;
use std::net::SocketAddr;

use serde_json::json;

use super::{CONFLICT, PROXY_CORE, Peer, Started, Task, installed};
use crate::process::{Process, free_address, has};

const PROBLEM: &str = "application/problem+json";
const MARKER: &str = "rule=\"fixed\", kind=transient, phase=before";

pub fn mitmproxy(task: Task, upstream: SocketAddr) -> Started {
    let Some(program) = installed("python/bin/mitmdump") else { return Ok(None) };
    if task != Task::Forward {
        return Ok(None);
    }
    let address = free_address()?;
    let (program, port) = (program.display().to_string(), address.port().to_string());
    let (mode, host) = (format!("reverse:http://{upstream}"), format!("/~q/X-Forwarded-Host/{address}"));
    let mut command = vec![&*program, "-q", "--mode", &mode, "--listen-host", "127.0.0.1", "-p", &port];
    command.extend([
        "--set",
        "flow_detail=0",
        "--set",
        "confdir=.",
        "--set",
        "modify_headers=/Via/1.1 mitmproxy",
    ]);
    for header in ["/~q/X-Forwarded-For/127.0.0.1", "/~q/X-Forwarded-Proto/http", &host] {
        command.extend(["--modify-headers", header]);
    }
    let process = Process::start(tempfile::tempdir()?, PROXY_CORE, &command, address)?;
    Ok(Some(Peer { name: "mitmproxy".to_owned(), address, process }))
}

pub fn wiremock(task: Task, upstream: SocketAddr) -> Started {
    let folder = installed("npm/node_modules/wiremock/build");
    let jar = folder.and_then(|folder| fs::read_dir(folder).ok()?.find_map(|file| Some(file.ok()?.path())));
    let Some(jar) = jar.filter(|_| has("java")) else { return Ok(None) };
    let address = free_address()?;
    let folder = tempfile::tempdir()?;
    let response = match task {
        Task::Forward => json!({
            "proxyBaseUrl": format!("http://{upstream}"),
            "headers": { "Via": "1.1 wiremock" },
            "additionalProxyRequestHeaders": {
                "Via": "1.1 wiremock", "X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "http",
                "X-Forwarded-Host": address.to_string(),
            },
        }),
        Task::Inject => json!({
            "status": 409, "body": CONFLICT,
            "headers": { "Content-Type": PROBLEM, "Cache-Control": "no-store", "Fracas": MARKER },
        }),
    };
    fs::create_dir(folder.path().join("mappings"))?;
    let mapping = json!({ "request": { "method": "ANY" }, "response": response });
    fs::write(folder.path().join("mappings/all.json"), mapping.to_string())?;
    let (jar, port) = (jar.display().to_string(), address.port().to_string());
    let mut command = vec!["java", "-jar", &*jar, "--port", &port, "--bind-address", "127.0.0.1"];
    command.extend(["--no-request-journal", "--disable-banner", "--root-dir", "."]);
    let process = Process::start(folder, PROXY_CORE, &command, address)?;
    Ok(Some(Peer { name: "WireMock".to_owned(), address, process }))
}

/// It cannot add a header to a forwarded response without running a script for each.
pub fn mountebank(task: Task, upstream: SocketAddr) -> Started {
    let Some(program) = installed("npm/node_modules/mountebank/bin/mb") else { return Ok(None) };
    let (address, api) = (free_address()?, free_address()?.port().to_string());
    let folder = tempfile::tempdir()?;
    let response = match task {
        Task::Forward => json!({ "proxy": {
            "to": format!("http://{upstream}"), "mode": "proxyTransparent",
            "injectHeaders": {
                "Via": "1.1 mountebank", "X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "http",
                "X-Forwarded-Host": address.to_string(),
            },
        } }),
        Task::Inject => json!({ "is": {
            "statusCode": 409, "body": CONFLICT,
            "headers": { "Content-Type": PROBLEM, "Cache-Control": "no-store", "Fracas": MARKER },
        } }),
    };
    let imposter =
        json!({ "port": address.port(), "protocol": "http", "stubs": [{ "responses": [response] }] });
    let config = folder.path().join("imposters.json");
    fs::write(&config, json!({ "imposters": [imposter] }).to_string())?;
    let (program, config) = (program.display().to_string(), config.display().to_string());
    let mut command = vec!["node", &*program, "start", "--localOnly", "--nologfile", "--loglevel", "error"];
    command.extend(["--port", &api, "--configfile", &config, "--pidfile", "mb.pid"]);
    let process = Process::start(folder, PROXY_CORE, &command, address)?;
    Ok(Some(Peer { name: "mountebank".to_owned(), address, process }))
}
