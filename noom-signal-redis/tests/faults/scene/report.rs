//! What was measured, for people and for `docs/scaling.md`.

use std::{io::Write, time::Duration};

use serde_json::json;

use super::Sum;

/// A row of the table of faults.
pub(crate) struct Row {
    pub(crate) fault: &'static str,
    /// What peers see of it.
    pub(crate) seen: &'static str,
    /// From the fault's end, or where it has none, its beginning, until rosters are exact.
    pub(crate) exact: Duration,
    /// From the fault's beginning until the first request was refused because of it.
    pub(crate) noticed: Option<Duration>,
    pub(crate) sum: Sum,
}

/// Whether this run is for publishing: with the library's own lease, and faults at full length.
pub(crate) fn measuring() -> bool {
    std::env::var_os(TABLE).is_some()
}

/// Names the file that rows are appended to.
const TABLE: &str = "NOOM_FAULTS_TABLE";

impl Row {
    #[expect(clippy::print_stdout, reason = "a test's output")]
    pub(crate) fn print(self) {
        let Self { fault, seen, exact, noticed, sum } = self;
        let Sum { said, refused, heard, told, silent, .. } = sum;
        println!(
            "{fault}: noticed after {noticed:.2?}, exact after {exact:.2?}; {said} said, {refused} refused, {heard} heard, \
             {told} lost and told, {silent} lost silently"
        );
        let Some(path) = std::env::var_os(TABLE) else { return };
        let row = json!({
            "fault": fault, "seen": seen, "exact": exact.as_secs_f64(),
            "noticed": noticed.map(|it| it.as_secs_f64()), "said": said,
            "refused": refused, "heard": heard, "told": told, "silent": silent,
        });
        let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
        writeln!(file.unwrap(), "{row}").unwrap();
    }
}
