//! What `docs/embedding.md` says of limits is so. (Its code is run with the documentation tests.)

use std::path::Path;

use system_tests::Limits;

const PAGE: &str = include_str!("../../docs/embedding.md");

#[test]
fn the_table_has_every_limit_with_its_default() {
    let (_, limits) = PAGE.split_once("\n## Limits\n").expect("the section");
    let rows = limits.lines().skip_while(|line| !line.starts_with("|---"));
    let rows = rows.skip(1).take_while(|line| line.starts_with('|'));
    let shown: Vec<String> = rows
        .map(|row| {
            let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
            let [name, default, why] = cells[..] else { panic!("not three cells: {row}") };
            assert!(!why.is_empty(), "{row}");
            format!("{}: {}", name.trim_matches('`'), default.replace([',', ' '], ""))
        })
        .collect();
    let debug = format!("{:#?}", Limits::default());
    let fields = debug.lines().filter_map(|line| line.strip_prefix("    "));
    let real: Vec<String> = fields.map(|field| field.trim_end_matches(',').to_owned()).collect();
    assert!(real.len() > 20, "{debug}");
    assert_eq!(shown, real);
}

#[test]
fn every_file_that_it_links_is_there() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let links = PAGE.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let missing: Vec<&str> = links.filter(|link| !docs.join(link).is_file()).collect();
    assert_eq!(missing, [""; 0]);
}
