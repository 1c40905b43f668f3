//! Drawings, as SVG in the page's own colours: light and dark are the page's business.

mod axes;
mod lane;

use askama::FastWritable;
use askama::filters::HtmlSafe;
use plotters::backend::SVGBackend;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea};
use plotters::style::RGBColor;

pub use self::axes::{gaps, herd};
pub use self::lane::{lane, rate};
use super::marked::escaped;

/// A drawing, as SVG.
pub struct Plot(String);

/// The canvas of a plot.
type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// How drawing fails: it does not, as it goes into memory.
type Failure = DrawingAreaErrorKind<std::io::Error>;

/// The page's colours. plotters knows numbers only: each of these stands for a variable of the page's
/// style, and is replaced by it.
const COLOURS: [(RGBColor, &str); 8] = [
    (INK, "--ink"),
    (FAINT, "--line"),
    (ACCENT, "--accent"),
    (ASKED, "--asked"),
    (GOOD, "--pass"),
    (BAD, "--fail"),
    (PALE, "--muted"),
    (GROUND, "--card"),
];
const INK: RGBColor = RGBColor(1, 1, 1);
const FAINT: RGBColor = RGBColor(2, 2, 2);
const ACCENT: RGBColor = RGBColor(3, 3, 3);
const ASKED: RGBColor = RGBColor(4, 4, 4);
const GOOD: RGBColor = RGBColor(5, 5, 5);
const BAD: RGBColor = RGBColor(6, 6, 6);
const PALE: RGBColor = RGBColor(7, 7, 7);
const GROUND: RGBColor = RGBColor(8, 8, 8);

impl Plot {
    /// Draws a plot of a size in units that are CSS pixels when there is room. `title` names the plot,
    /// and `about` describes it for screen readers.
    fn new(
        class: &str,
        (width, height): (u32, u32),
        (title, about): (&str, &str),
        draw: impl FnOnce(&Area) -> Result<(), Failure>,
    ) -> Plot {
        let mut drawn = String::new();
        {
            let area = SVGBackend::with_string(&mut drawn, (width, height)).into_drawing_area();
            // Writing to memory does not fail: the only error is a plot without an extent, which is empty.
            let _ = draw(&area).and_then(|()| area.present());
        }
        for (colour, variable) in COLOURS {
            let number = format!("\"#{0:02X}{1:02X}{2:02X}\"", colour.0, colour.1, colour.2);
            drawn = drawn.replace(&number, &format!("\"var({variable})\""));
        }
        for noise in [" opacity=\"1\"", " stroke=\"none\"", " font-family=\"sans-serif\""] {
            drawn = drawn.replace(noise, "");
        }
        let inside = drawn.split_once('>').map_or("", |(_, inside)| inside);
        let (title, about) = (escaped(title), escaped(about));
        Plot(format!(
            r#"<svg class="{class}" viewBox="0 0 {width} {height}" role="img" aria-label="{title}"><title>{title}</title><desc>{about}</desc>{inside}"#
        ))
    }
}

impl std::fmt::Display for Plot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl FastWritable for Plot {
    fn write_into(&self, into: &mut dyn std::fmt::Write, _: &dyn askama::Values) -> askama::Result<()> {
        Ok(into.write_str(&self.0)?)
    }
}

impl HtmlSafe for Plot {}
