//! Where the prompt comes from.

use std::io::Read;

use anyhow::Result;

use crate::cli::RunArgs;
use crate::exit::Failure;
use crate::terminal;

/// A prompt read from a pipe: what a model's context can hold many times over.
const PIPED_MAX_BYTES: u64 = 16 << 20;

/// The first prompt; `None` is a conversation.
pub fn first(args: &RunArgs) -> Result<Option<String>> {
    if let Some(prompt) = &args.prompt {
        return nonempty(prompt.clone()).map(Some);
    }
    if terminal::is_interactive() {
        return Ok(None);
    }
    let mut text = String::new();
    std::io::stdin()
        .take(PIPED_MAX_BYTES + 1)
        .read_to_string(&mut text)
        .map_err(|e| Failure::usage("the prompt on stdin cannot be read as text").because(e))?;
    if text.len() as u64 > PIPED_MAX_BYTES {
        return Err(
            Failure::usage(format!("the prompt on stdin passes {PIPED_MAX_BYTES} bytes")).into()
        );
    }
    nonempty(text).map(Some)
}

fn nonempty(prompt: String) -> Result<String> {
    if prompt.trim().is_empty() {
        return Err(Failure::usage("the prompt is empty")
            .hint("write it as an argument: xpressclaw run pi \"…\"")
            .into());
    }
    Ok(prompt)
}
