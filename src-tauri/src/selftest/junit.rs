//! A self-test as JUnit XML: one test case for each check. Warnings are not failures; they stand in `system-out`.

use sightline_desk::selftest::{headless::Tested, rfc3339};
use sightline_wire::{
    Problem,
    readiness::{Check, Outcome, Report},
};
use std::fmt::Write;

/// The whole file.
pub fn document(done: &Result<Tested, Problem>) -> String {
    let suite = match done {
        Ok(tested) => suite(&tested.report, tested.not_signed_in.as_ref()),
        Err(problem) => could_not_run(problem),
    };
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{suite}")
}

fn suite(report: &Report, not_signed_in: Option<&Problem>) -> String {
    let count = |outcome| report.checks.iter().filter(|check| check.outcome == outcome).count();
    let took_s = (report.finished_at - report.started_at).max(0) as f64 / 1_000.0;
    let mut text = String::new();
    let _ = writeln!(
        text,
        "<testsuite name=\"sightline selftest\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\" \
         time=\"{took_s:.3}\" timestamp=\"{}\">",
        report.checks.len(),
        count(Outcome::Fail),
        count(Outcome::Skipped),
        rfc3339(report.started_at),
    );
    let _ = writeln!(
        text,
        "  <properties>\n    <property name=\"app_version\" value=\"{}\"/>\n    <property name=\"system\" \
         value=\"{}\"/>\n  </properties>",
        escaped(&report.app_version),
        escaped(&report.system),
    );
    for check in &report.checks {
        text.push_str(&case(check));
    }
    if let Some(problem) = not_signed_in {
        let _ = writeln!(text, "  <system-err>{}</system-err>", escaped(&problem.message));
    }
    text.push_str("</testsuite>\n");
    text
}

fn case(check: &Check) -> String {
    let open = format!(
        "  <testcase classname=\"sightline.selftest\" name=\"{}\" time=\"{:.3}\"",
        check.kind.name(),
        f64::from(check.took_ms) / 1_000.0
    );
    let sentence = escaped(&check.sentence);
    let inside = match check.outcome {
        Outcome::Pass => return format!("{open}/>\n"),
        Outcome::Skipped => format!("<skipped message=\"{sentence}\"/>"),
        Outcome::Warn => format!(
            "<system-out>warning: {}: {sentence} {}</system-out>",
            finding(check),
            escaped(&check.remedy)
        ),
        Outcome::Fail => format!(
            "<failure type=\"{}\" message=\"{sentence}\">{}</failure>",
            finding(check),
            escaped(&check.remedy)
        ),
    };
    format!("{open}>\n    {inside}\n  </testcase>\n")
}

/// The stable name of what was found, as in JSON.
pub(super) fn finding(check: &Check) -> String {
    let name = check.finding.and_then(|finding| serde_json::to_value(finding).ok());
    let name = name.and_then(|name| name.as_str().map(str::to_owned));
    name.unwrap_or_else(|| check.kind.name().to_owned())
}

fn could_not_run(problem: &Problem) -> String {
    let message = escaped(&problem.message);
    let advice = escaped(&problem.next_step);
    format!(
        "<testsuite name=\"sightline selftest\" tests=\"1\" failures=\"0\" errors=\"1\" skipped=\"0\">\n  <testcase \
         classname=\"sightline.selftest\" name=\"selftest\">\n    <error message=\"{message}\">{advice}</error>\n  \
         </testcase>\n</testsuite>\n"
    )
}

/// For attributes and text. Characters that XML 1.0 cannot carry are left out: a driver's words may hold anything.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\t' | '\n' | '\r' => escaped.push(' '),
            '\u{fffe}' | '\u{ffff}' => {}
            character if character < ' ' => {}
            character => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn what_a_driver_says_cannot_break_the_file() {
        assert_eq!(
            escaped("\"Cam\" <1> & \u{0}\u{b}co\n"),
            "&quot;Cam&quot; &lt;1&gt; &amp; co "
        );
    }
}
