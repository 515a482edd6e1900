//! Moments for people: in the time zone of this machine.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// `2026-11-18 13:00:05`. A moment outside of the calendar stays a number.
pub fn local(ms: u64) -> String {
    in_zone(ms, TimeZone::system())
}

fn in_zone(ms: u64, zone: TimeZone) -> String {
    let moment = i64::try_from(ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    match moment {
        Some(moment) => moment.to_zoned(zone).strftime("%Y-%m-%d %H:%M:%S").to_string(),
        None => ms.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        assert_eq!(in_zone(1_795_003_205_999, berlin), "2026-11-18 13:00:05");
        assert_eq!(in_zone(0, TimeZone::UTC), "1970-01-01 00:00:00");
        assert_eq!(in_zone(u64::MAX, TimeZone::UTC), u64::MAX.to_string());
    }
}
