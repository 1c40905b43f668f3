//! Drawings without axes: an operation's lane, and a rule's rate. The page writes their numbers beside
//! them.

use plotters::element::{Circle, PathElement, Polygon, Rectangle};
use plotters::style::Color;

use super::{ACCENT, ASKED, Area, BAD, FAINT, Failure, GOOD, GROUND, INK, PALE, Plot};
use crate::grading::{OperationReport, TryReport};
use crate::report::phrases::{self, AttemptRole};

/// Of a lane.
const SIZE: (u32, u32) = (720, 52);
/// The height on which attempts are.
const MIDDLE: i32 = 26;
/// From the lane's ends to the first and last attempt.
const MARGIN: f64 = 14.0;
/// Attempts that are drawn.
const MOST_TRIES: usize = 200;
/// Of a bar.
const BAR: (u32, u32) = (120, 12);

/// The attempts along time, each with its response, and how long its response asked to wait.
pub fn lane(operation: &OperationReport) -> Plot {
    let about = format!("{} {}", operation.tries.len(), phrases::outcome(operation.outcome));
    let whole = phrases::length(operation).max(1.0);
    let place =
        |at: f64| (MARGIN + (f64::from(SIZE.0) - 2.0 * MARGIN) * (at / whole).clamp(0.0, 1.0)).round() as i32;
    let tries = || operation.tries.iter().take(MOST_TRIES).filter(|tried| tried.at_ms.is_finite());
    let draw = |area: &Area| {
        let ends = [(place(0.0), MIDDLE), (place(whole), MIDDLE)];
        area.draw(&PathElement::new(ends.to_vec(), FAINT.stroke_width(2)))?;
        for tried in tries() {
            let end = place(tried.at_ms + tried.took_ms);
            if let Some(asked) = tried.retry_after_ms {
                let until = place(tried.at_ms + tried.took_ms + asked as f64);
                area.draw(&Rectangle::new(
                    [(end, MIDDLE - 16), (until.max(end + 1), MIDDLE + 16)],
                    ASKED.mix(0.22).filled(),
                ))?;
                area.draw(&PathElement::new(
                    vec![(until, MIDDLE - 16), (until, MIDDLE + 16)],
                    ASKED.stroke_width(2),
                ))?;
            }
        }
        for tried in tries() {
            let (start, end) = (place(tried.at_ms), place(tried.at_ms + tried.took_ms));
            if end > start {
                let body = [(start, MIDDLE - 4), (end, MIDDLE + 4)];
                area.draw(&Rectangle::new(body, INK.mix(0.25).filled()))?;
            }
            mark(area, start, tried)?;
        }
        Ok(())
    };
    Plot::new("lane", SIZE, ("Attempts along time", &about), draw)
}

/// Shapes differ as well as colours do.
fn mark(area: &Area, at: i32, tried: &TryReport) -> Result<(), Failure> {
    const HALF: i32 = 4;
    let cross = |area: &Area, turn: i32| {
        let ends = vec![(at - HALF, MIDDLE - HALF * turn), (at + HALF, MIDDLE + HALF * turn)];
        area.draw(&PathElement::new(ends, GROUND.stroke_width(2)))
    };
    match phrases::turn(tried) {
        AttemptRole::Refused => {
            area.draw(&Circle::new((at, MIDDLE), 9, BAD.filled()))?;
            cross(area, 1)?;
            cross(area, -1)
        }
        AttemptRole::Failed => {
            let corners = vec![(at, MIDDLE - 9), (at + 9, MIDDLE + 8), (at - 9, MIDDLE + 8)];
            area.draw(&Polygon::new(corners, PALE.filled()))
        }
        AttemptRole::Succeeded => area.draw(&Circle::new((at, MIDDLE), 9, GOOD.filled())),
        AttemptRole::Read => {
            area.draw(&Circle::new((at, MIDDLE), 7, GROUND.filled()))?;
            area.draw(&Circle::new((at, MIDDLE), 7, ACCENT.stroke_width(2)))
        }
    }
}

/// The share of requests that a rule refused, as a bar, with a mark at the share that was asked.
pub fn rate(got: f64, asked: Option<f64>) -> Plot {
    let place = |share: f64| (f64::from(BAR.0) * share.clamp(0.0, 1.0)).round() as i32;
    let about = phrases::percent(got);
    let about = match asked {
        Some(asked) => format!("{about}, asked {}", phrases::percent(asked)),
        None => about,
    };
    let draw = |area: &Area| {
        area.draw(&Rectangle::new([(0, 2), (place(1.0), 10)], FAINT.filled()))?;
        area.draw(&Rectangle::new([(0, 2), (place(got), 10)], ACCENT.filled()))?;
        if let Some(asked) = asked {
            let at = place(asked);
            area.draw(&PathElement::new(vec![(at, 0), (at, 12)], INK.stroke_width(2)))?;
        }
        Ok(())
    };
    Plot::new("bar", BAR, ("Share of requests refused", &about), draw)
}
