//! What a user may say while a turn runs.

use crate::content::Part;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TurnInput {
    /// To be seen by the model before its next step.
    Steer(Vec<Part>),
    /// To be handled when the turn would otherwise end.
    FollowUp(Vec<Part>),
    Cancel,
}
