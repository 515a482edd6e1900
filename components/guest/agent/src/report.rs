//! What these programs have to say to a person: lines on stderr, which in the machine is its first
//! console. The host hears of trouble by `Event::Log` instead.

use std::fmt::Display;
use std::io::{self, Write};

/// Says it, or not: a console that is gone is no reason to stop.
pub fn say(text: impl Display) {
    let _ = writeln!(io::stderr(), "xpressclaw: {text}");
}
