//! The client in Rust of `examples/clients`, through the shipped rules and against a wall; the clients
//! in other languages are in `tests/real`.

#[expect(dead_code, reason = "the test calls `run`, and not `main`")]
#[path = "../../examples/clients/refetch.rs"]
mod client;

use crate::binary::Fracas;

fn run(fracas: &Fracas) -> Result<[String; 2], String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let address = fracas.address().to_string();
    runtime.block_on(client::run(&address)).map_err(|error| error.to_string())
}

#[test]
fn it_comes_through_the_shipped_rules() {
    let fracas = Fracas::start(include_str!("../../rules.toml"));
    let expected = ["item: 200, tries: 2", "order: 201, tries: 2"].map(str::to_owned);
    assert_eq!(run(&fracas), Ok(expected));
    assert_eq!(fracas.upstream_saw("GET /items/{id}"), (2, 0), "it reads again before it writes again");
    assert_eq!(fracas.upstream_saw("PUT /items/{id}"), (1, 1));
    assert_eq!(fracas.upstream_saw("POST /orders"), (2, 1), "one order");
}

#[test]
fn it_gives_up() {
    let fracas = Fracas::start("[[rule]]\nmethod = \"PUT\"\n");
    assert_eq!(run(&fracas), Err("item: gave up after 5 tries: 409 Conflict".to_owned()));
    assert_eq!(fracas.upstream_saw("GET /items/{id}"), (5, 0));
    assert_eq!(fracas.upstream_saw("PUT /items/{id}"), (0, 0));
}
