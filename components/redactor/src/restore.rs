//! Putting originals back into a stream of pieces.

use crate::vault::Vault;

/// How an original is written where its placeholder stood.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Plain,
    /// Inside a string of JSON.
    Json,
}

/// One stream of text. A placeholder may be cut anywhere: the shortest end that could still become
/// one is held back.
#[derive(Default)]
pub struct Restorer {
    held: String,
}

impl Restorer {
    /// What may be handed on now that `piece` arrived.
    pub fn push(&mut self, piece: &str, form: Form, vault: &Vault) -> String {
        let mut text = std::mem::take(&mut self.held);
        text.push_str(piece);
        let mut out = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some(at) = rest.find('[') {
            out.push_str(&rest[..at]);
            rest = &rest[at..];
            match rest.find(']') {
                Some(end) => {
                    if let Some(secret) = vault.secret(&rest[..=end]) {
                        write(&mut out, secret, form);
                        rest = &rest[end + 1..];
                        continue;
                    }
                }
                None if vault.may_begin(rest) => {
                    rest.clone_into(&mut self.held);
                    return out;
                }
                None => {}
            }
            out.push('[');
            rest = &rest[1..];
        }
        out.push_str(rest);
        out
    }

    /// What was held back, at the end of the stream.
    pub fn finish(&mut self) -> String {
        std::mem::take(&mut self.held)
    }
}

fn write(out: &mut String, secret: &str, form: Form) {
    match form {
        Form::Plain => out.push_str(secret),
        Form::Json => {
            let quoted = serde_json::Value::from(secret).to_string();
            out.push_str(&quoted[1..quoted.len() - 1]);
        }
    }
}

#[cfg(test)]
#[path = "restore_tests.rs"]
mod tests;
