//! Faults of traffic that passes: what a rule with `pass` does to the upstream's response.

use http::Response;

use super::access_log::AccessLog;
use super::body::response::ResponseSource;
use super::downstream::client::Client;
use super::downstream::deadlines::Wait;
use super::record::RequestRecorder;
use super::worker::Worker;
use crate::engine::PassingFault;
use crate::reply::FRACAS;

/// The response with its faults, once its delay is over.
pub async fn afflict(
    worker: &Worker,
    client: &Client,
    fault: Box<PassingFault>,
    mut response: Response<ResponseSource>,
    shown: &AccessLog<'_>,
    record: &RequestRecorder,
) -> Response<ResponseSource> {
    let Some(faults) = fault.settings() else { return response };
    if !fault.commits() {
        return response;
    }
    let delay = fault.delay();
    record.pass_with(&fault, delay);
    shown.log_fault(&fault, response.status());
    if let Some(marker) = fault.marker() {
        response.headers_mut().insert(FRACAS, marker);
    }
    // The upstream has answered: from here on it cannot be late.
    client.vitals.end(Wait::Answer);
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    response.map(|source| source.with_faults(faults, &client.vitals, worker.shared.clock))
}
