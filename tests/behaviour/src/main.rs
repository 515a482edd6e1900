//! `behaviour [TESTS.tar] [GROUP | TEXT …]`: compares all cases, or those of some groups, or those whose
//! names have a text in them, and prints a line for each. Started by `cargo xtask compare machine`.
#![allow(clippy::print_stdout, reason = "its output is what it is for")]

use std::process::ExitCode;

use anyhow::Result;
use behaviour::{Case, Group, Pair, Summary, Verdict};
use systems::{Images, Root};

/// Columns of a name.
const WIDTH: usize = 100;

fn main() -> Result<ExitCode> {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    let tests = words.iter().position(|word| word.ends_with(".tar")).map(|at| words.remove(at));
    let all = Group::ALL.into_iter().flat_map(Group::cases);
    let cases: Vec<Case> = all.filter(|case| is_wanted(case, &words)).collect();
    let has = |group| cases.iter().any(|case| case.group == group);
    let root = if has(Group::Node) { Root::Full } else { Root::Base };
    let tests = tests.filter(|_| has(Group::Modules));
    let mut pair = Pair::new(Images::find(root)?, tests.as_deref().map(std::path::Path::new))?;
    let mut summary = Summary::default();
    for case in &cases {
        let before = pair.cost;
        let verdict = pair.compare(case)?;
        summary.add(&verdict);
        let took = (pair.cost.0 - before.0, pair.cost.1 - before.1);
        print(case, &verdict, (took.0.as_secs_f64(), took.1.as_secs_f64()));
    }
    let (ours, theirs) = (pair.cost.0.as_secs_f64(), pair.cost.1.as_secs_f64());
    println!("{summary}; processor time {ours:.0} s here, {theirs:.0} s in QEMU");
    Ok(if summary.wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn is_wanted(case: &Case, words: &[String]) -> bool {
    let matches = |word: &String| case.group.name() == word || case.name.contains(word.as_str());
    words.is_empty() || words.iter().any(matches)
}

fn print(case: &Case, verdict: &Verdict, took: (f64, f64)) {
    let (word, lines) = match verdict {
        Verdict::Equal => ("equal", Vec::new()),
        Verdict::Known(reason) => ("known", vec![format!("because {reason}")]),
        Verdict::Gone(reason) => ("GONE", vec![format!("equal, although {reason}")]),
        Verdict::Differs(found) => ("DIFFERS", found.clone()),
    };
    let name: String = case.name.chars().take(WIDTH).collect();
    println!("{word:<8}{:<10}{:>6.2} {:>5.2}  {name}", case.group, took.0, took.1);
    for line in lines {
        println!("{:<18}{line}", "");
    }
}
