//! Plots with axes: gaps against tries, and a crowd that comes back.

use plotters::chart::{ChartBuilder, ChartContext};
use plotters::coord::cartesian::Cartesian2d;
use plotters::coord::combinators::IntoLogRange;
use plotters::coord::ranged1d::{Ranged, ValueFormatter};
use plotters::element::{Circle, PathElement, Rectangle};
use plotters::series::LineSeries;
use plotters::style::{Color, IntoFont, TextStyle};

use super::{ACCENT, ASKED, Area, FAINT, Failure, INK, PALE, Plot};
use crate::grading::{Backoff, Gap, Herd};
use crate::report::phrases::{percent, span};

/// As wide as a phone's page, so that the letters are as large there as the rest.
const SIZE: (u32, u32) = (360, 230);
/// Retries beyond this are not drawn.
const MOST_RETRIES: u64 = 20;
/// The shortest gap that a log axis shows, in milliseconds: shorter gaps lie on the axis.
const SHORTEST: f64 = 1.0;
/// The longest, three years: nothing that was seen is longer.
const LONGEST: f64 = 1e11;

/// Each gap against the retry that came after it, on a log axis, with the delay of `Retry-After` and
/// the mean. `None` without a gap.
pub fn gaps(gaps: &[Gap], backoff: Option<&Backoff>) -> Option<Plot> {
    let drawn: Vec<(f64, f64, Option<f64>)> = gaps
        .iter()
        .filter(|gap| gap.gap_ms.is_finite() && (1..=MOST_RETRIES).contains(&gap.retry))
        .map(|gap| (gap.retry as f64, bounded(gap.gap_ms), gap.asked_ms.map(|asked| bounded(asked as f64))))
        .collect();
    let last = drawn.iter().map(|(retry, ..)| *retry).fold(0.0, f64::max);
    let heights = || drawn.iter().flat_map(|(_, gap, asked)| [Some(*gap), *asked]).flatten();
    let (lowest, highest) = (heights().fold(LONGEST, f64::min), heights().fold(SHORTEST, f64::max));
    if drawn.is_empty() {
        return None;
    }
    let about = format!(
        "{} gaps between tries, from {} to {}, against the number of the retry; {} of them after an answer with Retry-After",
        drawn.len(),
        span(lowest),
        span(highest),
        drawn.iter().filter(|(.., asked)| asked.is_some()).count()
    );
    let plot = |area: &Area| {
        let heights = (lowest / 1.6..highest * 1.6).log_scale();
        let mut chart = builder(area).build_cartesian_2d(0.4..last + 0.6, heights)?;
        mesh(
            &mut chart,
            "retry",
            (last as usize).clamp(1, 10),
            |retry: &f64| format!("{retry:.0}"),
            |gap: &f64| tick(*gap),
        )?;
        chart.draw_series(drawn.iter().filter_map(|(retry, _, asked)| {
            let asked = (*asked)?;
            Some(PathElement::new(vec![(retry - 0.34, asked), (retry + 0.34, asked)], ASKED.stroke_width(2)))
        }))?;
        if let Some(backoff) = backoff {
            let means =
                backoff.mean_gaps_ms.iter().zip(1_u32..).map(|((mean, _), retry)| (f64::from(retry), *mean));
            let means = means.filter(|(retry, mean)| mean.is_finite() && *retry <= last);
            chart.draw_series(LineSeries::new(
                means.map(|(retry, mean)| (retry, bounded(mean))),
                ACCENT.stroke_width(2),
            ))?;
        }
        chart.draw_series(drawn.iter().enumerate().map(|(nth, (retry, gap, _))| {
            Circle::new((retry + aside(nth), *gap), 3, ACCENT.mix(0.45).filled())
        }))?;
        Ok(())
    };
    Some(Plot::new("plot", SIZE, ("Gaps between tries", &about), plot))
}

/// When the clients of a crowd came back. `None` without clients.
pub fn herd(herd: &Herd) -> Option<Plot> {
    let bars = herd.first_retries.get(..Herd::MOST_BARS).unwrap_or(&herd.first_retries);
    let highest = bars.iter().max().copied().filter(|highest| *highest > 0)? as f64;
    let width = Some(herd.bar_ms).filter(|width| width.is_finite() && *width > 0.0)?;
    let about = format!(
        "{} clients refused together; {} of their first retries came within {}",
        herd.clients,
        percent(herd.index),
        span(herd.window_ms)
    );
    let plot = |area: &Area| {
        // A few bars look like a wall: leave room for those that could have been.
        let end = width * bars.len().max(8) as f64;
        let mut chart = builder(area).build_cartesian_2d(0.0..end, 0.0..highest * 1.1)?;
        mesh(&mut chart, "after the first retry", 4, |at: &f64| tick(*at), |number: &f64| whole(*number))?;
        chart.draw_series(bars.iter().enumerate().filter(|(_, number)| **number > 0).map(
            |(nth, number)| {
                let left = width * nth as f64;
                Rectangle::new(
                    [(left + width * 0.08, 0.0), (left + width * 0.92, *number as f64)],
                    ACCENT.mix(0.8).filled(),
                )
            },
        ))?;
        Ok(())
    };
    Some(Plot::new("plot", SIZE, ("How a crowd comes back", &about), plot))
}

fn builder<'a, 'b>(area: &'a Area<'b>) -> ChartBuilder<'a, 'b, plotters::backend::SVGBackend<'b>> {
    let mut builder = ChartBuilder::on(area);
    builder.margin_top(10).margin_right(12).margin_left(2).x_label_area_size(38).y_label_area_size(58);
    builder
}

fn mesh<'b, X, Y>(
    chart: &mut ChartContext<'_, plotters::backend::SVGBackend<'b>, Cartesian2d<X, Y>>,
    about: &str,
    labels: usize,
    x: impl Fn(&f64) -> String,
    y: impl Fn(&f64) -> String,
) -> Result<(), Failure>
where
    X: Ranged<ValueType = f64> + ValueFormatter<f64>,
    Y: Ranged<ValueType = f64> + ValueFormatter<f64>,
{
    let words = || TextStyle::from(("sans-serif", 14).into_font()).color(&PALE);
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(plotters::style::TRANSPARENT)
        .bold_line_style(FAINT)
        .axis_style(INK.mix(0.35))
        .label_style(words())
        .axis_desc_style(words())
        .x_desc(about)
        .x_labels(labels)
        .y_labels(5)
        .x_label_formatter(&x)
        .y_label_formatter(&y)
        .draw()
}

/// A round number of an axis, without the digits that say nothing: `1 s`.
fn tick(milliseconds: f64) -> String {
    let text = span(milliseconds);
    let (number, unit) = text.split_once(' ').unwrap_or((&text, ""));
    if !number.contains('.') {
        return text;
    }
    format!("{} {unit}", number.trim_end_matches('0').trim_end_matches('.'))
}

/// Where a log axis can show it.
fn bounded(milliseconds: f64) -> f64 {
    milliseconds.clamp(SHORTEST, LONGEST)
}

/// A little to the side, so that gaps of the same length can be told apart: the golden ratio spreads
/// any number of them evenly.
fn aside(nth: usize) -> f64 {
    ((nth as f64 * 0.618_034).fract() - 0.5) * 0.5
}

/// Counts of clients are whole.
fn whole(number: f64) -> String {
    if number.fract() == 0.0 { format!("{number:.0}") } else { String::new() }
}
