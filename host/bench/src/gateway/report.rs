//! The tables.

use std::time::Duration;

use super::gateways::Target;
use super::{RATES, Seen};
use crate::stats::{millis, quantile, verdict};

const QUANTILES: [f64; 3] = [0.5, 0.99, 0.999];
/// What the specification promises: milliseconds added at the median and at 99 %, at the last rate,
/// and requests per second of processor time as many times those of each peer.
const ADDED: [f64; 2] = [0.2, 1.0];
const TIMES: [(&str, f64); 2] = [("LiteLLM", 50.0), ("Portkey", 5.0)];

pub fn print(targets: &[Target], seen: &[Seen]) {
    let Some((direct, ways)) = seen.split_first() else { return };
    for (at, rate) in RATES.iter().enumerate() {
        println!("{rate} streams a second, {} open: added by each, ms", rate * 2);
        println!(
            "{:<12}{:>9}{:>9}{:>9}   {:>9}{:>9}{:>9}{:>10}{:>8}",
            "", "first 50%", "99%", "99.9%", "last 50%", "99%", "99.9%", "answered", "failed"
        );
        let base = &direct.streams[at];
        row("direct", &base.first, &base.last, None, base.failed);
        for (target, way) in targets.iter().skip(1).zip(ways) {
            let way = &way.streams[at];
            row(target.name, &way.first, &way.last, Some((&base.first, &base.last)), way.failed);
            if let Some(why) = &way.why {
                println!("{:<12}one failure: {}", "", why.lines().next().unwrap_or_default());
            }
        }
        println!();
    }
    if let (Some(ours), Some(last)) = (ways.first(), RATES.len().checked_sub(1)) {
        let (ours, base) = (&ours.streams[last], &direct.streams[last]);
        for (share, most) in QUANTILES.iter().zip(ADDED) {
            let added = difference(&ours.first, &base.first, *share);
            let held = verdict(added <= most);
            println!(
                "added until the first byte, {share}: {added:.2} ms, promised ≤ {most}: {held}"
            );
        }
    }
    println!("\nwhole answers, {} at a time", super::TOGETHER);
    println!(
        "{:<12}{:>10}{:>14}{:>16}{:>10}{:>8}",
        "", "answers/s", "ms, 50%", "per CPU second", "peak MB", "failed"
    );
    for (target, way) in targets.iter().zip(seen) {
        println!(
            "{:<12}{:>10.0}{:>14.2}{:>16}{:>10.0}{:>8}",
            target.name,
            way.whole.last.len() as f64 / way.wall.as_secs_f64().max(f64::EPSILON),
            millis(quantile(&way.whole.last, 0.5)),
            per_cpu(way).map_or("-".to_owned(), |rate| format!("{rate:.0}")),
            way.peak as f64 * 1024.0 / 1e6,
            way.whole.failed,
        );
    }
    for (target, way) in targets.iter().zip(seen) {
        if let Some(why) = &way.whole.why {
            println!("{:<12}one failure: {}", target.name, why.lines().next().unwrap_or_default());
        }
    }
    let rate = |name: &str| {
        let at = targets.iter().position(|target| target.name == name)?;
        per_cpu(&seen[at])
    };
    for (name, promised) in TIMES {
        if let (Some(ours), Some(peer)) = (rate("xpressclaw"), rate(name)) {
            let ratio = ours / peer;
            let held = verdict(ratio >= promised);
            println!("per CPU second, against {name}: {ratio:.1}x, promised ≥ {promised}x: {held}");
        }
    }
}

type Times<'a> = &'a [Duration];

fn row(
    name: &str,
    first: Times<'_>,
    last: Times<'_>,
    base: Option<(Times<'_>, Times<'_>)>,
    failed: usize,
) {
    let cells = |times: Times<'_>, base: Option<Times<'_>>| {
        QUANTILES
            .map(|share| format!("{:>9.2}", difference(times, base.unwrap_or(&[]), share)))
            .concat()
    };
    println!(
        "{name:<12}{}   {}{:>10}{failed:>8}",
        cells(first, base.map(|base| base.0)),
        cells(last, base.map(|base| base.1)),
        first.len(),
    );
}

/// Milliseconds between the same quantile of both.
fn difference(times: Times<'_>, base: Times<'_>, share: f64) -> f64 {
    millis(quantile(times, share)) - millis(quantile(base, share))
}

/// Answers per second of processor time of the gateway.
fn per_cpu(seen: &Seen) -> Option<f64> {
    let seconds = seen.cpu.as_secs_f64();
    (seconds > 0.0).then(|| seen.whole.last.len() as f64 / seconds)
}
