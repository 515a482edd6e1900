//! Where commands could begin in a shell script, as far as its text tells.
//!
//! A rule on commands looks at text, and text is not what a shell does with it: variables, files
//! and programs decide the rest. So both readings here are cautious in their own direction. What a
//! rule allows must be one plain command ([`is_plain`]); what a rule asks about or denies is looked
//! for wherever a command could begin ([`readings`]). Neither is a wall: the machine is.

use std::ops::Range;

/// Places in a script where a command could begin. A script with more of them is taken to match
/// every rule that asks or denies: nobody writes such a script by hand.
const STARTS_MAX: usize = 1_000;

/// Programs and words after which any word may be a command.
const WRAPPERS: [&str; 34] = [
    ".", "bash", "builtin", "busybox", "chroot", "command", "coproc", "dash", "doas", "env",
    "eval", "exec", "flock", "ionice", "ksh", "nice", "nohup", "nsenter", "parallel", "script",
    "setsid", "sh", "source", "ssh", "stdbuf", "strace", "su", "sudo", "time", "timeout",
    "unshare", "watch", "xargs", "zsh",
];
/// Words of the shell that a command follows.
const RESERVED: [&str; 8] = ["!", "if", "then", "elif", "else", "while", "until", "do"];
/// What `find` runs follows one of these.
const EXEC: [&str; 4] = ["-exec", "-execdir", "-ok", "-okdir"];

/// Whether the script is one simple command: no operator, no second line, no substitution, no
/// expansion of a variable or of braces, no redirection.
pub(crate) fn is_plain(script: &str) -> bool {
    let mut characters = script.chars();
    let mut quote = None;
    while let Some(c) = characters.next() {
        if c.is_control() && c != '\t' {
            return false;
        }
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            (Some('\''), _) => {}
            (_, '\\') => match characters.next() {
                Some(next) if !next.is_control() => {}
                _ => return false,
            },
            (_, '$' | '`') => return false,
            (None, ';' | '&' | '|' | '<' | '>' | '(' | ')' | '{' | '}') => return false,
            _ => {}
        }
    }
    quote.is_none()
}

/// Every text that a rule which asks or denies is compared with: the script, and from each place
/// where a command could begin to the end of that command and to the end of the script. Quotes and
/// backslashes are also read as if they were not there. `None`: there are too many.
pub(crate) fn readings(script: &str) -> Option<Readings> {
    let joined = script.replace("\\\n", "");
    let raw = one_blank(&joined);
    let bare = one_blank(&joined.replace(['\'', '"', '\\'], ""));
    let mut texts = vec![(commands(&raw)?, raw)];
    if bare != texts[0].1 {
        let places = commands(&bare)?;
        texts.push((places, bare));
    }
    let places: usize = texts.iter().map(|(places, _)| places.len()).sum();
    (places <= STARTS_MAX).then_some(Readings(texts))
}

/// See [`readings`].
pub(crate) struct Readings(Vec<(Vec<Range<usize>>, String)>);

impl Readings {
    /// Whether any reading is a match. `whole` tells whether a match of a text's end is one of all
    /// of it, which saves most of the work.
    pub fn any(&self, whole: bool, is_match: impl Fn(&str) -> bool) -> bool {
        self.0.iter().any(|(places, text)| {
            is_match(text.trim())
                || places.iter().any(|place| {
                    is_match(text[place.clone()].trim())
                        || (!whole && is_match(text[place.start..].trim()))
                })
        })
    }
}

/// Runs of blanks as one.
fn one_blank(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let c = if c == '\t' { ' ' } else { c };
        if c != ' ' || !out.ends_with(' ') {
            out.push(c);
        }
    }
    out
}

fn is_separator(c: char) -> bool {
    matches!(c, '\n' | '\r' | ';' | '&' | '|' | '(' | ')' | '{' | '}' | '`' | '<' | '>')
}

fn commands(text: &str) -> Option<Vec<Range<usize>>> {
    let mut found = Vec::new();
    let mut from = 0;
    let mut redirected = false;
    let ends = text.char_indices().filter(|(_, c)| is_separator(*c));
    for (at, c) in ends.chain([(text.len(), '\n')]) {
        simple(text, from..at, redirected, &mut found);
        if found.len() > STARTS_MAX {
            return None;
        }
        from = at + c.len_utf8();
        redirected = matches!(c, '<' | '>');
    }
    Some(found)
}

/// Where commands begin between two separators. `redirected`: the first word is a file's name.
fn simple(text: &str, range: Range<usize>, redirected: bool, found: &mut Vec<Range<usize>>) {
    let mut starts = true;
    let mut wrapped = false;
    let mut at = range.start;
    for word in text[range.clone()].split(' ') {
        let start = at;
        at += word.len() + 1;
        if word.is_empty() {
            continue;
        }
        let name = word.rsplit('/').next().unwrap_or(word);
        if starts || wrapped {
            found.push(start..range.end);
            if name.len() < word.len() {
                found.push(start + word.len() - name.len()..range.end);
            }
            if found.len() > STARTS_MAX {
                return;
            }
            wrapped |= WRAPPERS.contains(&name);
        }
        wrapped |= EXEC.contains(&word);
        let first = redirected && start <= range.start + 1;
        starts = first || (starts && (is_assignment(word) || RESERVED.contains(&word)));
    }
}

fn is_assignment(word: &str) -> bool {
    let Some((name, _)) = word.split_once('=') else { return false };
    let letter = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    !name.is_empty() && name.bytes().all(letter) && !name.as_bytes()[0].is_ascii_digit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_plain_command() {
        for script in [
            "git status",
            "git commit -m 'a; b'",
            "echo \"a (b) > c\"",
            "ls *.rs",
            "echo a\\;b",
            "a\tb",
        ] {
            assert!(is_plain(script), "{script}");
        }
        for script in [
            "git status; rm -rf x",
            "git status & rm x",
            "git status\nrm x",
            "git status\rrm x",
            "git status | sh",
            "git status > x",
            "git status < x",
            "git status $(rm x)",
            "git status `rm x`",
            "git status \"$(rm x)\"",
            "git status \"`rm x`\"",
            "git status $X",
            "(git status)",
            "git status {a,b}",
            "git status 'x",
            "git status \"x",
            "git status \\",
            "git status \\\nrm",
            "git status 'a' ; rm x 'b'",
            "git status \"a\\\" ; rm x",
            "git\0status",
        ] {
            assert!(!is_plain(script), "{script}");
        }
    }

    #[test]
    fn commands_are_found_where_they_could_begin() {
        for script in [
            "rm x",
            "  rm   x",
            "true; rm x",
            "true && rm x",
            "true || rm x",
            "true | rm x",
            "true & rm x",
            "true\nrm x",
            "(rm x)",
            "{ rm x; }",
            "echo $(rm x)",
            "echo `rm x`",
            "cat <(rm x)",
            "if true; then rm x; fi",
            "while rm x; do :; done",
            "A=1 B=2 rm x",
            "> out rm x",
            "/bin/rm x",
            "sudo rm x",
            "sudo -u root /bin/rm x",
            "env A=1 rm x",
            "timeout 5 nice rm x",
            "find . -exec rm x \\;",
            "ls | xargs -0 rm x",
            "bash -c 'rm x'",
            "bash -c \"true; rm x\"",
            "eval rm x",
            "r''m x",
            "\\rm x",
            "\"rm\" x",
            "r\\\nm x",
            "! rm x",
        ] {
            let found = readings(script).unwrap();
            assert!(
                found.any(false, |text| text == "rm x" || text.starts_with("rm x ")),
                "{script}"
            );
        }
        for script in ["git rm x", "echo rm x", "npm run rm x", "term x", "cat rm x"] {
            let found = readings(script).unwrap();
            assert!(!found.any(false, |text| text.starts_with("rm x")), "{script}");
        }
    }

    #[test]
    fn a_reading_goes_on_past_operators() {
        let found = readings("true; curl x | sh").unwrap();
        assert!(found.any(false, |text| text == "curl x | sh"));
        assert!(found.any(false, |text| text == "curl x"));
    }

    #[test]
    fn too_many_commands_are_not_looked_at() {
        assert!(readings(&"a;".repeat(400)).is_some());
        assert!(readings(&"a;".repeat(2_000)).is_none());
        assert!(readings(&format!("sudo {}", "a ".repeat(2_000))).is_none());
    }
}
