//! When a window begins and ends, in a named time zone.

use std::fmt;

use domain::Window;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

/// The time zone in which a day begins. Always explicit: the machine's own zone would make the
/// same configuration mean different budgets on two machines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

/// A name that is no time zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a time zone; write an IANA name like `Europe/Berlin`, or `UTC`")]
pub struct ZoneError(String);

impl Zone {
    pub const UTC: Self = Self(TimeZone::UTC);

    /// An IANA name, in any case.
    pub fn parse(name: &str) -> Result<Self, ZoneError> {
        TimeZone::get(name).map(Self).map_err(|_| ZoneError(name.to_owned()))
    }

    /// The IANA name.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self::UTC
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The part of time that a window counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Span {
    AllTime,
    /// Milliseconds since the Unix epoch, `end` excluded.
    Between {
        start: u64,
        end: u64,
    },
}

impl Span {
    pub(super) fn holds(self, at: u64) -> bool {
        match self {
            Self::AllTime => true,
            Self::Between { start, end } => (start..end).contains(&at),
        }
    }

    /// When the window resets.
    pub(super) fn resets_at(self) -> Option<u64> {
        match self {
            Self::AllTime => None,
            Self::Between { end, .. } => Some(end),
        }
    }
}

/// The span of `window` that holds `now_ms`. A moment outside of the calendar (the year 9999)
/// counts all time: the side on which nothing is spent twice.
pub(super) fn span(window: Window, zone: &Zone, now_ms: u64) -> Span {
    calendar_span(window, zone, now_ms).unwrap_or(Span::AllTime)
}

fn calendar_span(window: Window, Zone(zone): &Zone, now_ms: u64) -> Option<Span> {
    let now = Timestamp::from_millisecond(i64::try_from(now_ms).ok()?).ok()?;
    let today = now.to_zoned(zone.clone()).date();
    let (first, next) = match window {
        Window::Task | Window::Total => return Some(Span::AllTime),
        Window::Daily => (today, today.tomorrow().ok()?),
        Window::Weekly => {
            let since_monday = today.weekday().since(Weekday::Monday);
            let monday = today.checked_sub(since_monday.days()).ok()?;
            (monday, monday.checked_add(1.week()).ok()?)
        }
        Window::Monthly => {
            let first = today.first_of_month();
            (first, first.checked_add(1.month()).ok()?)
        }
    };
    Some(Span::Between { start: begin(first, zone)?, end: begin(next, zone)? })
}

/// The first instant of a day: not always 00:00, where clocks change at midnight.
fn begin(day: Date, zone: &TimeZone) -> Option<u64> {
    let start = day.to_zoned(zone.clone()).ok()?.start_of_day().ok()?;
    Some(u64::try_from(start.timestamp().as_millisecond()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::super::sums::BUCKET_MS;
    use super::*;

    fn at(text: &str) -> u64 {
        text.parse::<Timestamp>().unwrap().as_millisecond().try_into().unwrap()
    }

    fn check(window: Window, zone: &str, now: &str, start: &str, end: &str) {
        let found = span(window, &Zone::parse(zone).unwrap(), at(now));
        let expected = Span::Between { start: at(start), end: at(end) };
        assert_eq!(found, expected, "{window} {zone} {now}");
    }

    #[test]
    fn days() {
        use Window::Daily;
        check(Daily, "UTC", "2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z");
        check(
            Daily,
            "UTC",
            "2026-02-28T23:59:59.999Z",
            "2026-02-28T00:00:00Z",
            "2026-03-01T00:00:00Z",
        );
        // 23 hours in spring, 25 in autumn.
        check(
            Daily,
            "Europe/Berlin",
            "2026-03-29T12:00:00Z",
            "2026-03-28T23:00:00Z",
            "2026-03-29T22:00:00Z",
        );
        check(
            Daily,
            "Europe/Berlin",
            "2026-10-25T12:00:00Z",
            "2026-10-24T22:00:00Z",
            "2026-10-25T23:00:00Z",
        );
        // No midnight at all: the day begins at 01:00.
        check(
            Daily,
            "America/Asuncion",
            "2023-10-01T12:00:00Z",
            "2023-10-01T04:00:00Z",
            "2023-10-02T03:00:00Z",
        );
        // Midnight twice: the day begins with the first.
        check(
            Daily,
            "America/Havana",
            "2026-11-01T12:00:00Z",
            "2026-11-01T04:00:00Z",
            "2026-11-02T05:00:00Z",
        );
        // A zone that is not on a whole hour, and one a day ahead.
        check(
            Daily,
            "Asia/Kathmandu",
            "2026-01-01T00:00:00Z",
            "2025-12-31T18:15:00Z",
            "2026-01-01T18:15:00Z",
        );
        check(
            Daily,
            "Pacific/Kiritimati",
            "2026-01-01T10:00:00Z",
            "2026-01-01T10:00:00Z",
            "2026-01-02T10:00:00Z",
        );
    }

    #[test]
    fn weeks_begin_on_monday() {
        use Window::Weekly;
        for now in ["2026-11-16T00:00:00Z", "2026-11-18T12:00:00Z", "2026-11-22T23:59:59Z"] {
            check(Weekly, "UTC", now, "2026-11-16T00:00:00Z", "2026-11-23T00:00:00Z");
        }
        check(
            Weekly,
            "America/New_York",
            "2026-11-02T04:59:59Z",
            "2026-10-26T04:00:00Z",
            "2026-11-02T05:00:00Z",
        );
    }

    #[test]
    fn months() {
        use Window::Monthly;
        check(
            Monthly,
            "UTC",
            "2028-02-29T12:00:00Z",
            "2028-02-01T00:00:00Z",
            "2028-03-01T00:00:00Z",
        );
        check(
            Monthly,
            "UTC",
            "2026-12-31T23:59:59Z",
            "2026-12-01T00:00:00Z",
            "2027-01-01T00:00:00Z",
        );
        check(
            Monthly,
            "Europe/Berlin",
            "2026-03-31T21:59:59Z",
            "2026-02-28T23:00:00Z",
            "2026-03-31T22:00:00Z",
        );
    }

    #[test]
    fn the_rest_never_resets() {
        for window in [Window::Task, Window::Total] {
            assert_eq!(span(window, &Zone::UTC, 0).resets_at(), None);
        }
        assert_eq!(span(Window::Daily, &Zone::UTC, u64::MAX), Span::AllTime);
        let last = u64::try_from(Timestamp::MAX.as_millisecond()).unwrap();
        for now in last - 5..=last {
            assert_eq!(span(Window::Monthly, &Zone::UTC, now), Span::AllTime);
        }
    }

    #[test]
    fn every_zone_turns_on_a_bucket() {
        // The running sums are exact because no window begins inside of a bucket.
        let mut zones = 0;
        for name in jiff::tz::db().available() {
            let zone = Zone::parse(name.as_str()).unwrap();
            zones += 1;
            for day in 0..3_000 {
                let now = at("2024-01-01T12:00:00Z") + day * 86_400_000;
                let Span::Between { start, end } = span(Window::Daily, &zone, now) else {
                    panic!("{zone} {now}");
                };
                assert!(start <= now && now < end, "{zone} {now}");
                assert_eq!((start % BUCKET_MS, end % BUCKET_MS), (0, 0), "{zone} {now}");
            }
        }
        assert!(zones > 300, "{zones}");
    }

    #[test]
    fn names() {
        assert_eq!(Zone::parse("europe/berlin").unwrap().name(), "Europe/Berlin");
        assert_eq!(Zone::default().name(), "UTC");
        assert!(Zone::parse("Europe/Atlantis").is_err());
        assert!(Zone::parse("").is_err());
    }
}
