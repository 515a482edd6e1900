//! The system prompt: what the model is told before anything else.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Files of a workspace that speak to agents, the first that is there.
const CONTEXT_FILES: [&str; 2] = ["AGENTS.md", "CLAUDE.md"];
/// What is read of it: a prompt is paid for with every call.
const CONTEXT_MAX_BYTES: usize = 32 << 10;

/// The prompt for an agent that works in `workspace`. `steps` is how many tool turns it has.
pub fn system(workspace: &Path, role: Option<&str>, steps: usize) -> String {
    let mut text = format!(
        "You are a capable assistant that works in a directory of files with the tools below. \
         The workspace is {}; paths are relative to it, and nothing outside of it can be read or \
         written.\n\
         \n\
         How to work:\n\
         - Look before you change: use grep, find and read to learn what is there. Never guess what \
         a file says.\n\
         - Change files with edit where you can, with write for new files. Keep to the style that \
         is there, and to what was asked.\n\
         - Calls that do not depend on each other belong into one answer. Commands and tools of the \
         host then run at the same time, file tools in order.\n\
         - bash runs commands in the agent's Linux machine. If it answers that there is no machine, \
         do not try again: work with the file tools, and say what you could not run.\n\
         - Long outputs are shortened; the note at their end says how to read on.\n\
         - For work of several steps keep a plan with the tool plan. Notes that should outlive this \
         conversation go into memory_add; search there when the user refers to the past.\n\
         - You have at most {steps} tool turns for each message of the user; an answer with several \
         calls is one.\n\
         - You do not know today's date, unless a tool tells you.\n\
         - If a tool fails, read what it says, and try another way at most a few times. Say honestly \
         what you did, what you checked and what you could not do.\n\
         - Answer briefly and in the user's language.",
        workspace.display()
    );
    if let Some((name, content)) = context(workspace) {
        text.push_str(&format!("\n\nThe workspace's own {name} says:\n\n{content}"));
    }
    if let Some(role) = role {
        text.push_str("\n\nYour role:\n\n");
        text.push_str(role);
    }
    text
}

/// Name and content of the workspace's file for agents. One that cannot be read is not there.
fn context(workspace: &Path) -> Option<(&'static str, String)> {
    CONTEXT_FILES.iter().find_map(|name| {
        let file = File::open(workspace.join(name)).ok()?;
        let mut bytes = Vec::new();
        let most = u64::try_from(CONTEXT_MAX_BYTES + 1).unwrap_or(u64::MAX);
        file.take(most).read_to_end(&mut bytes).ok()?;
        let cut = bytes.len() > CONTEXT_MAX_BYTES;
        bytes.truncate(CONTEXT_MAX_BYTES);
        let mut content = String::from_utf8_lossy(&bytes).into_owned();
        if cut {
            content.push_str("\n[cut here; read the file for the rest]");
        }
        Some((*name, content))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workspace_role_and_limit_are_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let text = system(folder.path(), Some("You are Ferris."), 20);
        assert!(text.contains(&folder.path().display().to_string()));
        assert!(text.contains("at most 20 tool turns"));
        assert!(text.ends_with("You are Ferris."));
        assert!(!text.contains("AGENTS.md"));
    }

    #[test]
    fn the_first_context_file_is_read_and_bounded() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("CLAUDE.md"), "second").unwrap();
        assert!(system(folder.path(), None, 20).ends_with("CLAUDE.md says:\n\nsecond"));
        std::fs::write(folder.path().join("AGENTS.md"), "x".repeat(CONTEXT_MAX_BYTES + 5)).unwrap();
        let text = system(folder.path(), None, 20);
        assert!(text.contains("AGENTS.md says"));
        assert!(text.ends_with("xxx\n[cut here; read the file for the rest]"));
        assert!(text.len() < CONTEXT_MAX_BYTES + 4_000);
    }
}
