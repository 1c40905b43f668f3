//! HTML reports in a real browser: nothing is asked for, nothing complains, every value is the JSON's,
//! and the layout holds on a phone and on a desktop, with one operation and with 50,000.

use std::fs::File;

use fracas::report::{self, Format, ReportInput, Width};
use fracas::rules::Paint;

use crate::client::{Runs, run};
use crate::samples;

#[test]
fn a_browser_shows_what_the_report_says() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    // To be looked at: `FRACAS_PICTURES=folder cargo nextest run …`.
    let pictures = std::env::var_os("FRACAS_PICTURES").map(std::path::PathBuf::from);
    let folder = pictures.as_deref().unwrap_or(folder.path());
    let mut arguments = vec![folder.to_str().expect("a path of ours").to_owned()];
    let many = [("one", samples::many(1)), ("many", samples::many(50_000))];
    for (name, report) in samples::all().into_iter().chain(many) {
        for (format, ending) in [(Format::Html, "html"), (Format::Json, "json")] {
            let mut file = File::create(folder.join(format!("{name}.{ending}"))).expect("a file");
            let started = "2026-03-05T14:02:11.318Z".parse().expect("a time");
            let (paint, width) = (Paint::Plain, Width::of(None));
            let subject = ReportInput { report: &report, attempts: &[], started, paint, width };
            report::write(format, subject, &mut file).expect("the disk has room");
        }
        arguments.push(name.to_owned());
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let found = run(Runs::Python, "report_chromium.py", &arguments);
    let pages = found.as_object().expect("one for each page");
    assert_eq!(pages.len(), (samples::all().len() + 2) * 2 + 2);
    for (name, page) in pages {
        for nothing in ["complaints", "wrong", "underived", "loose", "dangling", "unexplained", "undescribed"]
        {
            assert_eq!(page[nothing], serde_json::json!([]), "{name}: {nothing}");
        }
        assert_eq!((&page["scrolls"], &page["twice"]), (&0.into(), &0.into()), "{name}");
        assert_eq!(page["headings"], true, "{name}: a level of headings is left out");
    }
    assert!(pages["failing-390-light"]["values"].as_u64() > Some(100), "values are marked");
    assert_ne!(pages["failing-390-light"]["ground"], pages["failing-390-dark"]["ground"]);
}
