//! What somebody says into a running turn, told to the others.

use domain::TurnInput;
use domain::content::plain_text;

/// `by` as the protocol names it; `own` is how it names the reader.
pub fn told(by: &str, own: &str, input: &TurnInput) -> String {
    let mine = by == own;
    match input {
        TurnInput::Steer(parts) if mine => format!("steering: {}", plain_text(parts)),
        TurnInput::Steer(parts) => format!("{by} steers: {}", plain_text(parts)),
        TurnInput::FollowUp(parts) => format!("{by}, for afterwards: {}", plain_text(parts)),
        TurnInput::Cancel if mine => "cancelling".into(),
        TurnInput::Cancel => format!("{by} cancels the turn"),
    }
}
