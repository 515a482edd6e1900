//! Numbers for people.

use domain::chat::Usage;

/// `1.2 s`, `340 ms`, `2 min 5 s`.
pub fn millis(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        _ => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1_000),
    }
}

/// `1,234 in (1,000 cached), 56 out`.
pub fn tokens(usage: &Usage) -> String {
    let cached = match usage.cached {
        0 => String::new(),
        cached => format!(" ({} cached)", grouped(cached)),
    };
    format!("{} in{cached}, {} out", grouped(usage.input), grouped(usage.output))
}

/// `1,234,567`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_for_people() {
        let usage = Usage { input: 1_234_567, cached: 100, output: 5, ..Usage::default() };
        assert_eq!(tokens(&usage), "1,234,567 in (100 cached), 5 out");
        assert_eq!(tokens(&Usage::default()), "0 in, 0 out");
        for (ms, text) in [(0, "0 ms"), (999, "999 ms"), (1_250, "1.2 s"), (125_000, "2 min 5 s")] {
            assert_eq!(millis(ms), text);
        }
    }
}
