use std::future::pending;

use super::*;

const SOON: Duration = Duration::from_millis(5);
const LATE: Duration = Duration::from_secs(60);

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(async { tokio::time::timeout(LATE, work).await.expect("it ends in time") })
}

fn vitals(request: Duration, response: Duration) -> Deadlines {
    let timeouts = Timeouts { keep_alive: request, response_head: response, ..Timeouts::default() };
    Deadlines::new(Clock::start(), &timeouts)
}

#[test]
fn a_connection_that_waits_too_long_ends() {
    let vitals = vitals(SOON, LATE);
    assert_eq!(run(vitals.guard(pending::<()>())), Err(Wait::Request));
}

#[test]
fn a_request_is_told_what_took_too_long() {
    let vitals = vitals(LATE, SOON);
    let answered = run(vitals.guard(async {
        vitals.end(Wait::Request);
        vitals.begin(Wait::Answer);
        vitals.within(pin!(pending::<()>())).await
    }));
    assert_eq!(answered, Ok(Err(Wait::Answer)));
}

#[test]
fn the_clock_stands_while_it_is_suspended() {
    let vitals = vitals(SOON, SOON);
    vitals.suspend(Wait::Request);
    vitals.restart(Wait::Answer);
    let past = Moment(u64::MAX);
    assert_eq!(Wait::ALL.map(|wait| vitals.deadline(wait)), [past; 8]);
    vitals.restart(Wait::Request);
    assert!(vitals.deadline(Wait::Request) < past);
    assert_eq!(run(vitals.guard(pending::<()>())), Err(Wait::Request));
}

#[test]
fn the_end_of_a_body_says_nothing_of_the_next_request() {
    let vitals = vitals(LATE, LATE);
    let first = vitals.begin_request(UploadProgress::Dropped);
    vitals.end_response();
    let second = vitals.begin_request(UploadProgress::Forwarded);
    vitals.begin(Wait::RequestBody);
    vitals.set_upload(first, UploadProgress::Over);
    assert!(vitals.expects_more() && vitals.is_waiting(Wait::RequestBody));
    vitals.set_upload(second, UploadProgress::Over);
    assert!(!vitals.expects_more() && !vitals.is_waiting(Wait::RequestBody));
}

#[test]
fn what_is_heard_between_requests_is_a_head() {
    let vitals = vitals(LATE, LATE);
    vitals.heard();
    assert!(!vitals.is_waiting(Wait::Request) && vitals.is_waiting(Wait::Head));
    vitals.end(Wait::Head);
    vitals.heard();
    assert!(!vitals.is_waiting(Wait::Head));
}

#[test]
fn a_connection_is_idle_when_its_last_stream_has_ended() {
    let connection = Arc::new(vitals(LATE, LATE));
    let streams = [Deadlines::of_stream(&connection), Deadlines::of_stream(&connection)];
    assert!(!connection.is_waiting(Wait::Request));
    let [first, last] = streams;
    drop(first);
    assert!(!connection.is_waiting(Wait::Request));
    drop(last);
    assert!(connection.is_waiting(Wait::Request));
}

#[test]
fn what_another_task_begins_to_wait_for_ends_a_stream_in_time() {
    let connection = Arc::new(vitals(LATE, SOON));
    let stream = Deadlines::of_stream(&connection);
    let late = run(async {
        let (guarded, ()) = tokio::join!(stream.guard(pending::<()>()), async {
            // The guard sleeps by now: it comes first.
            stream.begin(Wait::Answer);
        });
        guarded
    });
    assert_eq!(late, Err(Wait::Answer));
    assert!(connection.overdue().is_none(), "its neighbours go on");
}

#[test]
fn an_idle_connection_may_rest_once_and_lives_on() {
    let vitals = vitals(LATE, LATE);
    let rested = run(vitals.guard(async {
        vitals.end_response();
        poll_fn(|_| match vitals.take_overdue(&[Wait::Rest]) {
            Some(_) => Poll::Ready(()),
            None => Poll::Pending,
        })
        .await;
        vitals.is_waiting(Wait::Request) && !vitals.is_waiting(Wait::Rest)
    }));
    assert_eq!(rested, Ok(true));
}

#[test]
fn where_nobody_rests_that_is_no_reason_to_end() {
    let vitals = vitals(REST + REST / 2, LATE);
    vitals.end_response();
    assert_eq!(run(vitals.guard(pending::<()>())), Err(Wait::Request));
}
