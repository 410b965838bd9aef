use concord::ruleset;
fn main() {
    let dir = std::env::args().nth(1).unwrap();
    let t = std::time::Instant::now();
    let checked = ruleset::check_dir(std::path::Path::new(&dir), Some("2026-11-22")).unwrap();
    println!("{}", checked.render(true));
    println!("{} errors {:?}", checked.errors(), t.elapsed());
    if checked.errors() == 0 {
        let rs = ruleset::Ruleset::from_checked(checked).unwrap();
        println!("{:?} nodes {} {:?} {}", rs.counts(), rs.program().nodes.len(), t.elapsed(), rs.digest());
    }
}
