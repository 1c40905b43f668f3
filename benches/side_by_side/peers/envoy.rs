//! Envoy, one worker, with its fault filter in the chain.

use std::fs;
use std::net::SocketAddr;

use serde_json::{Value, json};

use super::{CONFLICT, PROXY_CORE, Peer, Started, Task, installed};
use crate::process::{Process, free_address, has};

pub fn envoy(task: Task, upstream: SocketAddr) -> Started {
    let program = installed("python/bin/envoy").map(|path| path.display().to_string());
    let Some(program) = program.or_else(|| has("envoy").then(|| "envoy".to_owned())) else { return Ok(None) };
    let address = free_address()?;
    let folder = tempfile::tempdir()?;
    let config = folder.path().join("envoy.json");
    fs::write(&config, config_of(task, address, upstream).to_string())?;
    let config = config.display().to_string();
    let command = [&*program, "-c", &config, "--concurrency", "1", "--disable-hot-restart", "-l", "error"];
    let process = Process::start(folder, PROXY_CORE, &command, address)?;
    Ok(Some(Peer { name: "Envoy".to_owned(), address, process }))
}

fn config_of(task: Task, address: SocketAddr, upstream: SocketAddr) -> Value {
    let typed = |name: &str| format!("type.googleapis.com/envoy.extensions.filters.{name}");
    let (fault, router) = (typed("http.fault.v3.HTTPFault"), typed("http.router.v3.Router"));
    json!({ "static_resources": {
        "listeners": [{
            "address": at(address),
            "filter_chains": [{ "filters": [{
                "name": "http",
                "typed_config": {
                    "@type": typed("network.http_connection_manager.v3.HttpConnectionManager"),
                    "stat_prefix": "front",
                    "use_remote_address": true,
                    "via": "1.1 envoy",
                    "generate_request_id": false,
                    "route_config": { "virtual_hosts": [{ "name": "all", "domains": ["*"], "routes": [route(task, upstream)] }] },
                    "http_filters": [
                        { "name": "fault", "typed_config": { "@type": fault } },
                        { "name": "router", "typed_config": { "@type": router, "suppress_envoy_headers": true } },
                    ],
                },
            }] }],
        }],
        "clusters": [{
            "name": "up",
            "connect_timeout": "5s",
            "circuit_breakers": { "thresholds": [{ "max_connections": 100_000, "max_requests": 100_000 }] },
            "load_assignment": {
                "cluster_name": "up",
                "endpoints": [{ "lb_endpoints": [{ "endpoint": { "address": at(upstream) } }] }],
            },
        }],
    } })
}

fn route(task: Task, upstream: SocketAddr) -> Value {
    let header = |name: &str, value: &str| json!({ "header": { "key": name, "value": value } });
    match task {
        Task::Forward => json!({
            "match": { "prefix": "/" },
            "route": { "cluster": "up", "host_rewrite_literal": upstream.to_string(), "timeout": "0s" },
            "request_headers_to_add": [header("x-forwarded-host", "%REQ(:authority)%")],
        }),
        Task::Inject => json!({
            "match": { "prefix": "/" },
            "direct_response": { "status": 409, "body": { "inline_string": CONFLICT } },
            "response_headers_to_add": [
                header("content-type", "application/problem+json"),
                header("cache-control", "no-store"),
                header("fracas", "rule=\"fixed\", kind=transient, phase=before"),
            ],
        }),
    }
}

fn at(address: SocketAddr) -> Value {
    json!({ "socket_address": { "address": address.ip().to_string(), "port_value": address.port() } })
}
