//! How is a figure written for people? Rates, intervals and counts.

use khop_evaluate::Interval;

/// `3.21 %`, with another digit where it is small.
pub(super) fn percent(rate: f64) -> String {
    format!("{:.1$} %", 100.0 * rate, decimals(rate))
}

/// `[1.25–5.54 %]`, in as many digits as the rate itself.
pub(super) fn interval(rate: f64, ci: Interval) -> String {
    let decimals = decimals(rate);
    format!("[{:.decimals$}–{:.decimals$} %]", 100.0 * ci.low, 100.0 * ci.high)
}

fn decimals(rate: f64) -> usize {
    if rate > 0.0 && rate < 0.01 { 3 } else { 2 }
}

/// With a thin space between thousands.
pub(super) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let groups = digits.as_bytes().rchunks(3).rev().map(|group| String::from_utf8_lossy(group).into_owned());
    groups.collect::<Vec<_>>().join("\u{202f}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_easily() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1\u{202f}000", "1\u{202f}234\u{202f}567"]);
        assert_eq!([0.0, 0.0321, 0.000_977, 1.0].map(percent), ["0.00 %", "3.21 %", "0.098 %", "100.00 %"]);
        assert_eq!(interval(0.009, Interval { low: 0.0025, high: 0.0554 }), "[0.250–5.540 %]");
    }
}
