//! The table of faults in `docs/scaling.md`, measured.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context, ensure};
use serde_json::Value;
use xshell::{Shell, cmd};

const PAGE: &str = "docs/scaling.md";
const BEGIN: &str = "<!-- faults: written by `cargo xtask faults` -->\n";
const END: &str = "<!-- end of faults -->";

/// Runs the fault tests at full length, one after the other, and writes what they measured.
pub(crate) fn measure(sh: &Shell, runs: u32) -> anyhow::Result<()> {
    let rows = sh.current_dir().join("target/faults.jsonl");
    sh.remove_path(&rows)?;
    let of = ["-p", "noom-signal-redis", "--release"];
    cmd!(sh, "cargo build {of...} --example node").run()?;
    for _ in 0..runs {
        cmd!(sh, "cargo test {of...} --test faults -- --test-threads 1")
            .env("NOOM_FAULTS_TABLE", &rows)
            .run()?;
    }
    write(sh, &rows)
}

fn write(sh: &Shell, rows: &Path) -> anyhow::Result<()> {
    let page = sh.read_file(PAGE)?;
    let (before, rest) = page.split_once(BEGIN).with_context(|| format!("{PAGE} has no table"))?;
    let (_, after) = rest.split_once(END).with_context(|| format!("{PAGE}: a table without end"))?;
    let table = table(&sh.read_file(rows)?)?;
    sh.write_file(PAGE, format!("{before}{BEGIN}{table}{END}{after}"))?;
    Ok(())
}

fn table(rows: &str) -> anyhow::Result<String> {
    let mut faults: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for row in rows.lines() {
        let row: Value = serde_json::from_str(row)?;
        let fault = row["fault"].as_str().context("a row without a name")?;
        faults.entry(fault.to_owned()).or_default().push(row);
    }
    ensure!(!faults.is_empty(), "nothing was measured");
    let mut table = String::from(
        "| fault | what peers see | noticed after | exact after | lost, and told | lost silently |\n\
         |---|---|--:|--:|--:|--:|\n",
    );
    for (fault, rows) in faults {
        let seen = rows[0]["seen"].as_str().unwrap_or_default();
        let time = |name| median(&rows, name).map_or("–".into(), |time| format!("{time:.1} s"));
        let (noticed, exact) = (time("noticed"), time("exact"));
        let count = |name| median(&rows, name).unwrap_or_default();
        let (heard, told) = (count("heard"), count("told"));
        let silent: f64 = rows.iter().filter_map(|row| row["silent"].as_f64()).sum();
        table += &format!(
            "| {fault} | {seen} | {noticed} | {exact} | {told:.0} of {heard:.0} | {silent:.0} |\n"
        );
    }
    Ok(table)
}

fn median(rows: &[Value], name: &str) -> Option<f64> {
    let mut values: Vec<f64> = rows.iter().filter_map(|row| row[name].as_f64()).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_one_fault_are_one_row() {
        let row = |exact: f64| {
            format!(
                "{{\"fault\":\"f\",\"seen\":\"s\",\"exact\":{exact},\"heard\":9,\"told\":1,\
                 \"noticed\":null,\"silent\":0}}\n"
            )
        };
        let rows = [row(3.0), row(1.0), row(2.0)].concat();
        let table = table(&rows).unwrap_or_default();
        assert!(table.ends_with("| f | s | – | 2.0 s | 1 of 9 | 0 |\n"), "{table}");
    }
}
