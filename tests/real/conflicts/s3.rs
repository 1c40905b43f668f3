//! boto3 names S3's conflicts by their code; a request that is signed anew each time is still of the
//! same client.

use serde_json::json;

use super::stage::Stage;
use crate::client::Runs::Python;

#[test]
fn boto3_knows_the_conflicts_of_s3_by_their_codes() {
    let stage = Stage::start(
        Python,
        "conflicts/s3_server.py",
        r#"
        # The second write of an object meets another, and goes on doing so until it has a look.
        [[rule]]
        name    = "written-at-once"
        method  = "PUT"
        path    = "/{bucket}/{key}/**"
        pattern = ".xxxxxxxxx"
        per     = "path"
        kind    = "version"
        clear   = "refetch"
        reply   = { style = "s3" }

        # As long as an object is in it.
        [[rule]]
        name    = "not-empty"
        method  = "DELETE"
        path    = "/{bucket}"
        on      = "referenced"
        per     = "param:bucket"
        by      = { method = "PUT", path = "/{bucket}/{key}/**", per = "param:bucket" }
        release = { method = "DELETE", path = "/{bucket}/{key}/**", per = "path" }
        reply   = { style = "s3" }
        "#,
    );
    let told = stage.run(Python, "conflicts/s3_client.py", &[]);
    let conflict = json!({
        "Code": "ConditionalRequestConflict", "Condition": "If-None-Match", "Key": "a b/c",
        "Message": "The conditional request cannot succeed due to a conflicting operation against this resource.",
    });
    let not_empty = json!({
        "Code": "BucketNotEmpty", "BucketName": "shelf",
        "Message": "The bucket you tried to delete is not empty.",
    });
    assert_eq!(
        told["tries"],
        json!([
            ["put", 200, null],
            ["put again", 409, conflict],
            ["put once more", 409, conflict],
            ["put after a look", 200, null],
            ["delete bucket", 409, not_empty],
            ["delete empty bucket", 204, null],
        ]),
    );
    assert_eq!((&told["stored"], &told["buckets"]), (&json!("two"), &json!([])));
}
