//! Medians and spreads, and how busy the machine was.

use std::fs;
use std::time::Duration;

/// The middle value; zero of none.
pub fn median<T: Ord + Copy + Default>(values: &[T]) -> T {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

/// The value that a tenth of all are below (`0.1`), and so on.
pub fn quantile<T: Ord + Copy + Default>(values: &[T], share: f64) -> T {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let index = (sorted.len().saturating_sub(1) as f64 * share).round() as usize;
    sorted.get(index).copied().unwrap_or_default()
}

pub fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

pub fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

/// Whether a promise was kept.
pub fn verdict(held: bool) -> &'static str {
    if held { "held" } else { "MISSED" }
}

/// What a measurement on a busy machine must be read with.
pub fn conditions() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split_whitespace().take(3).collect::<Vec<_>>().join(" ");
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let build = if cfg!(debug_assertions) { "development build" } else { "release build" };
    format!("{cores} cores, load {load}, {build}")
}
