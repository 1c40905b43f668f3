use std::future::poll_fn;

use futures_util::stream;
use http_body_util::StreamBody;

use super::*;
use crate::rules::Timeouts;

/// What came of a body: its bytes, and for each piece the milliseconds since the start and its length.
struct Played {
    whole: Vec<u8>,
    pieces: Vec<(u64, usize)>,
    is_cut: bool,
    ended: u64,
}

/// A body of `length` bytes, which the upstream sends at once in pieces of `piece`, with faults.
async fn play(faults: &PassFaults, length: usize, piece: usize) -> Played {
    let all = numbers(length);
    let frames: Vec<_> =
        all.chunks(piece).map(|piece| Ok(Frame::data(Bytes::copy_from_slice(piece)))).collect();
    let clock = Clock::start();
    let vitals = Arc::new(Deadlines::new(clock, &Timeouts::default()));
    let mut faulty = Faulty::new(StreamBody::new(stream::iter(frames)), faults, &vitals, clock);
    let (mut whole, mut pieces) = (Vec::new(), Vec::new());
    let is_cut = loop {
        match poll_fn(|cx| faulty.poll(cx)).await {
            None => break false,
            Some(Err(ResponseError::Cut)) => break true,
            Some(Err(error)) => panic!("{error}"),
            Some(Ok(frame)) => {
                let data = frame.into_data().expect("data");
                pieces.push((clock.now().0 / 1_000_000, data.len()));
                whole.extend_from_slice(&data);
            }
        }
    };
    Played { whole, pieces, is_cut, ended: clock.now().0 / 1_000_000 }
}

fn numbers(length: usize) -> Vec<u8> {
    (0..length).map(|at| at as u8).collect()
}

#[tokio::test(start_paused = true)]
async fn a_slow_body_comes_whole_and_takes_its_length_over_its_rate() {
    for (rate, length, piece, seconds) in [
        (1_024, 4_096, 4_096, 4.0),
        (1_024, 4_096, 7, 4.0),
        (7, 21, 21, 3.0),
        (1, 3, 3, 3.0),
        (1 << 20, 1 << 20, 65_536, 1.0),
    ] {
        let faults = PassFaults { rate: NonZeroU64::new(rate), ..PassFaults::default() };
        let Played { whole, pieces, is_cut, ended } = play(&faults, length, piece).await;
        assert_eq!((whole == numbers(length), is_cut), (true, false), "{rate}");
        let expected = seconds * 1_000.0;
        // A piece at a time, each up to a millisecond late; that is made up for.
        assert!((ended as f64 - expected).abs() <= 3.0 + expected / 50.0, "{rate} {piece}: {ended} ms");
        let mut sent = 0;
        for (at, length) in pieces {
            sent += length;
            assert!(
                sent as f64 <= (at as f64 + 3.0) * rate as f64 / 1_000.0 + 1.0,
                "{rate}: {sent} B after {at} ms"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_is_cut_after_exactly_so_many_bytes_if_there_are_more() {
    for length in [0, 1, 9, 10, 11, 20, 1_000] {
        for piece in [1, 3, 10, 1_000] {
            for cut in [0, 1, 10, 500] {
                let faults = PassFaults { cut: Some(cut as u64), ..PassFaults::default() };
                let played = play(&faults, length, piece).await;
                let expected = (numbers(length.min(cut)), length > cut);
                assert_eq!((played.whole, played.is_cut), expected, "{length} B by {piece}, cut after {cut}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_stall_is_once_and_before_the_rest() {
    let stall = Duration::from_secs(30);
    let after_one = play(&PassFaults { stall, ..PassFaults::default() }, 10, 10).await;
    assert_eq!((after_one.pieces, after_one.is_cut), (vec![(0, 1), (30_000, 9)], false));
    let of_one_byte = play(&PassFaults { stall, ..PassFaults::default() }, 1, 1).await;
    assert_eq!(of_one_byte.ended, 0, "there is no rest");
    let before_cut = play(&PassFaults { stall, cut: Some(4), ..PassFaults::default() }, 10, 3).await;
    assert_eq!((before_cut.pieces, before_cut.is_cut), (vec![(0, 3), (0, 1)], true));
    assert!(before_cut.ended >= 30_000, "{}", before_cut.ended);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_slowly_saves_no_speed_up() {
    let mut pacer = Pacer { per_second: NonZeroU64::new(1_000).expect("a rate"), due: Moment(0), granted: 0 };
    let first = pacer.grant(50, Moment(0));
    assert_eq!(first, Moment(50_000_000));
    // Ten seconds later, the next piece still takes its time.
    let next = pacer.grant(50, Moment(10_000_000_000));
    assert!(next >= Moment(10_048_000_000), "{next:?}");
}
