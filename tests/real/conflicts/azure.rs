//! Azure's storage client cannot tell fracas's conflicts from Azurite's own, and with its signature
//! over every request is one client all the same.

use serde_json::json;

use super::stage::Stage;
use crate::client::Runs::{Node, Python};

#[test]
fn conflicts_of_azure_storage_have_their_codes() {
    let stage = Stage::start(
        Node,
        "conflicts/azure_server.mjs",
        r#"
        [[rule]]
        name   = "container-there"
        method = "PUT"
        path   = "/{account}/{container}"
        query  = { restype = "container" }
        first  = 1
        kind   = "duplicate"
        reply  = { style = "azure_storage" }

        [[rule]]
        name   = "lease-there"
        method = "PUT"
        path   = "/{account}/{container}/{blob}/**"
        query  = { comp = "lease" }
        first  = 1
        kind   = "lock"
        reply  = { style = "azure_storage" }

        [[rule]]
        name   = "blob-there"
        method = "PUT"
        path   = "/{account}/{container}/{blob}/**"
        query  = { comp = false }
        header = { "if-none-match" = "*" }
        first  = 1
        kind   = "duplicate"
        reply  = { style = "azure_storage" }

        # Every write on top of another, unless the blob was looked at after the last refusal.
        [[rule]]
        name   = "copied-meanwhile"
        method = "PUT"
        path   = "/{account}/{container}/{blob}/**"
        query  = { comp = false }
        header = { "if-none-match" = false }
        per    = "path"
        kind   = "transient"
        clear  = "refetch"
        reply  = { style = "azure_storage" }
        "#,
    );
    let told = stage.run(Python, "conflicts/azure_client.py", &[]);

    let exists = |what: &str, code: &str| json!([what, "ResourceExistsError", 409, code]);
    let fine = |what: &str| json!([what, null, null, null]);
    assert_eq!(
        told["tries"],
        json!([
            exists("container", "ContainerAlreadyExists"),
            fine("container again"),
            exists("container at Azurite", "ContainerAlreadyExists"),
            exists("upload", "BlobAlreadyExists"),
            fine("upload again"),
            exists("upload to Azurite", "BlobAlreadyExists"),
            exists("lease", "LeaseAlreadyPresent"),
            fine("lease again"),
            exists("lease at Azurite", "LeaseAlreadyPresent"),
            exists("write", "PendingCopyOperation"),
            fine("write after a look"),
        ]),
    );
    assert_eq!(told["stored"], json!("two"));
}
