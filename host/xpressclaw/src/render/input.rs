//! What somebody says into a running turn, told to the others.

use domain::content::plain_text;
use domain::{Part, TurnInput};

use super::text::first_line;

/// Characters that are shown of what somebody else wrote: it may be a whole file.
const SHOWN_CHARS: usize = 200;

/// `by` as the protocol names it; `own` is how it names the reader.
pub fn told(by: &str, own: &str, input: &TurnInput) -> String {
    let mine = by == own;
    match input {
        TurnInput::Steer(parts) if mine => format!("steering: {}", short(parts)),
        TurnInput::Steer(parts) => format!("{by} steers: {}", short(parts)),
        TurnInput::FollowUp(parts) => format!("{by}, for afterwards: {}", short(parts)),
        TurnInput::Cancel if mine => "cancelling".into(),
        TurnInput::Cancel => format!("{by} cancels the turn"),
    }
}

fn short(parts: &[Part]) -> String {
    first_line(&plain_text(parts), SHOWN_CHARS)
}
