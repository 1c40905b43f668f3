//! Azure: Storage (XML), Resource Manager and Cosmos DB (JSON).

use http::StatusCode;

use super::iso::{Digits, iso};
use super::resource::segments;
use super::{PlaceholderValue, ResponseShape, Style, resource};
use crate::model::{Facts, Kind};

/// Azure Storage, by recordings of its SDKs: the text starts with a byte order mark, the time has
/// seven digits.
pub(super) const STORAGE: Style = Style {
    word: "azure_storage",
    title: "Azure Storage",
    about: "XML with an `x-ms-error-code`.",
    statuses: &[412, 503],
    agents: &[],
    reads_body: |_| false,
    examples: &[("PUT", "/container/blob", "")],
    content_type: "application/xml",
    words: &[("azure.time", |scene| PlaceholderValue::text(iso(scene.occasion.now, Digits::Seven)))],
    shapes: |kind, status| match (status, kind) {
        (StatusCode::PRECONDITION_FAILED, _) => vec![storage(&[
            ("code", "ConditionNotMet"),
            ("message", "The condition specified using HTTP conditional header(s) is not met."),
        ])],
        (StatusCode::SERVICE_UNAVAILABLE, _) => {
            vec![storage(&[("code", "ServerBusy"), ("message", "The server is busy.")])]
        }
        // `If-None-Match: *` on a blob that exists is 409 here, not 412.
        (_, Kind::Duplicate | Kind::Version) => vec![
            storage(&[
                ("code", "ContainerAlreadyExists"),
                ("message", "The specified container already exists."),
            ])
            .when(names_a_container),
            storage(&[("code", "BlobAlreadyExists"), ("message", "The specified blob already exists.")]),
        ],
        (_, Kind::Lock) => vec![storage(&[
            ("code", "LeaseAlreadyPresent"),
            ("message", "There is already a lease present."),
        ])],
        (_, Kind::Referenced) => vec![storage(&[
            ("code", "SnapshotsPresent"),
            ("message", "This operation is not permitted because the blob has snapshots."),
        ])],
        _ => vec![storage(&[
            ("code", "PendingCopyOperation"),
            ("message", "There is currently a pending copy operation."),
        ])],
    },
};

/// Azure Resource Manager, by bodies pasted in issues.
pub(super) const ARM: Style = Style {
    word: "azure_arm",
    title: "Azure Resource Manager",
    about: "A code and a message under `error`.",
    statuses: &[],
    agents: &[],
    reads_body: |_| false,
    examples: &[(
        "PUT",
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a",
        "",
    )],
    content_type: "application/json; charset=utf-8",
    words: &[("arm.name", |scene| PlaceholderValue::text(resource::last(scene.occasion.facts)))],
    shapes: |kind, _| {
        vec![
            ResponseShape::new(
                "application/json; charset=utf-8",
                r#"{"error":{"code":"{code}","message":"{message}"}}"#,
            )
            .headers(&[("x-ms-request-id", "{uuid}"), ("x-ms-correlation-request-id", "{uuid}")])
            .fills(match kind {
                Kind::Transient => &[
                    ("code", "StorageAccountOperationInProgress"),
                    (
                        "message",
                        "An operation is currently performing on this storage account that requires exclusive access.",
                    ),
                ],
                Kind::Overlap => &[
                    ("code", "OperationNotAllowed"),
                    (
                        "message",
                        "Operation is not allowed: Another operation (Updating) is in progress, please wait for \
                         it to finish before starting a new operation. See \
                         https://aka.ms/aks-pending-operation for more details",
                    ),
                ],
                Kind::Duplicate => &[
                    ("code", "StorageAccountAlreadyTaken"),
                    ("message", "The storage account named {arm.name} is already taken."),
                ],
                Kind::Referenced => &[
                    ("code", "CannotDeleteResource"),
                    (
                        "message",
                        "Cannot delete resource while nested resources exist. Please delete all nested resources \
                         before deleting this resource.",
                    ),
                ],
                Kind::Lock => &[
                    ("code", "ScopeLocked"),
                    (
                        "message",
                        "The scope '{path}' cannot perform write operation because following scope(s) are locked: \
                         '{path}'. Please remove the lock and try again.",
                    ),
                ],
                _ => &[
                    ("code", "Conflict"),
                    (
                        "message",
                        "The request failed due to conflict with a concurrent request. To resolve it, please refer \
                         to https://aka.ms/activitylog to get more details on the conflicting requests.",
                    ),
                ],
            }),
        ]
    },
};

/// Cosmos DB: 409 means that the id is taken, for every kind; 412 and 449 have their own words.
pub(super) const COSMOS: Style = Style {
    word: "cosmos",
    title: "Azure Cosmos DB",
    about: "`Conflict`; with 412 `PreconditionFailed`, with 449 `RetryWith`.",
    statuses: &[412, 449],
    agents: &[],
    reads_body: |_| false,
    examples: &[("POST", "/dbs/d/colls/c/docs", "")],
    content_type: "application/json",
    words: &[],
    shapes: |_, status| {
        vec![
            ResponseShape::new("application/json", r#"{"code":"{code}","message":"{message}"}"#)
                .headers(&[("x-ms-activity-id", "{uuid}")])
                .fills(match status.as_u16() {
                    412 => &[
                        ("code", "PreconditionFailed"),
                        (
                            "message",
                            "Operation cannot be performed because one of the specified precondition is not met.",
                        ),
                    ],
                    449 => &[
                        ("code", "RetryWith"),
                        (
                            "message",
                            "Conflicting request to resource has been attempted. Retry to avoid conflicts.",
                        ),
                    ],
                    _ => &[
                        ("code", "Conflict"),
                        ("message", "Resource with specified id or name already exists."),
                    ],
                }),
        ]
    },
};

fn storage(fills: &'static [(&'static str, &'static str)]) -> ResponseShape {
    ResponseShape::new(
        "application/xml",
        "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{code}</Code><Message>{message}\nRequestId:{uuid}\nTime:{azure.time}</Message></Error>",
    )
    .headers(&[
        ("server", "Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0"),
        ("x-ms-request-id", "{uuid}"),
        ("x-ms-client-request-id", "{header.x-ms-client-request-id}"),
        ("x-ms-version", "{header.x-ms-version}"),
        ("x-ms-error-code", "{code}"),
    ])
    .fills(fills)
}

fn names_a_container(facts: &Facts<'_>) -> bool {
    facts.queries("restype").any(|kind| kind == "container") || segments(facts).count() == 1
}
