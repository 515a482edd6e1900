//! Keeps the conversation inside the model's window: before a call that would not fit, and after
//! one that did not.

use crate::answer::Answer;
use crate::compact::{Results, drop_results, recent, transcript};
use crate::events;
use crate::model::{Shown, ask};
use crate::request::Form;
use crate::session::Session;
use crate::tokens;
use crate::xpressclaw::base::content::Part;
use crate::xpressclaw::llm::types::{AssistantPart, Error, Message, Outcome};

/// What is kept free for the answer, and at most this share of the window.
const RESERVE: u64 = 16_384;
const RESERVE_SHARE: u64 = 4;
/// How often one request is shortened before it is given up; each time by half.
const ATTEMPTS: usize = 3;
/// An older part that is smaller than this is not worth a summary, in tokens.
const WORTH_A_SUMMARY: u64 = 500;
/// Bytes of a summary's source for each token that it may take.
const SOURCE_BYTES_PER_TOKEN: u64 = 3;

const SUMMARISER: &str = "\
    You summarise conversations between a user and an assistant, for the assistant, who goes on \
    without having seen them. Write what it must know: what the user wants and prefers, what was \
    decided and why, which files were read or changed and what matters in them, what works, what \
    failed, what is left to do. Name paths, names and numbers exactly. Write plain text, at most \
    600 words, and nothing else.";

impl Session {
    /// One call of the model with the whole conversation, shortened as far as it has to be.
    pub fn answer(
        &mut self,
        form: &Form,
        window: u64,
        answer: &mut Answer,
    ) -> Result<Outcome, Error> {
        let reserve = RESERVE.min(window / RESERVE_SHARE);
        let request = form.request(self.history.messages());
        let size = self.history.tokens_with(&request);
        let mut request = if size > window - reserve {
            self.shorten(form, window, Results::Answered)?;
            form.request(self.history.messages())
        } else {
            request
        };
        for attempt in 0.. {
            let length = self.history.messages().len();
            let outcome = ask(&request, &mut self.inbox, Shown::Yes, answer);
            let limit = match outcome {
                Err(Error::ContextExceeded(limit)) if attempt < ATTEMPTS => u64::from(limit),
                Ok(outcome) => {
                    self.history.counted(length, outcome.usage.input);
                    return Ok(outcome);
                }
                Err(error) => return Err(error),
            };
            let limit = limit.min(window);
            let shortened = self.shorten(form, limit, Results::Answered)?
                || self.shorten(form, limit, Results::All)?;
            if !shortened {
                return Err(Error::ContextExceeded(u32::try_from(limit).unwrap_or(u32::MAX)));
            }
            request = form.request(self.history.messages());
        }
        Err(Error::Cancelled) // not reached: the last attempt returns
    }

    /// Makes the conversation take about half of `window`, and half of what it takes now. Says
    /// whether anything could go.
    fn shorten(&mut self, form: &Form, window: u64, which: Results) -> Result<bool, Error> {
        let mut messages = self.history.messages().to_vec();
        let before = tokens::of_all(&messages);
        let fixed = tokens::of_request(&form.request(&[]));
        let target = (window / 2).saturating_sub(fixed).min(before / 2);
        let dropped = drop_results(&mut messages, target, which);
        let mut how = format!("{dropped} old tool outputs dropped");
        let mut begin = 0;
        if tokens::of_all(&messages) > target {
            begin = recent(&messages, target / 2);
            if tokens::of_all(&messages[..begin]) < WORTH_A_SUMMARY {
                begin = 0;
            }
        }
        if begin > 0 {
            let (summary, told) = self.summary(form, &messages[..begin], window)?;
            how.push_str(&format!(", {begin} messages {told}"));
            let mut kept = vec![Message::User(vec![Part::Text(summary)])];
            if !messages[begin..].iter().any(is_user) {
                // What is being done stands in the user's own words.
                kept.extend(messages[..begin].iter().rfind(|message| is_user(message)).cloned());
            }
            messages.splice(..begin, kept);
        }
        if dropped == 0 && begin == 0 {
            return Ok(false);
        }
        let after = tokens::of_all(&messages);
        self.history.replace(messages).map_err(|error| Error::Other(error.to_string()))?;
        events::notice(format!("history compacted: about {before} to {after} tokens; {how}"));
        Ok(true)
    }

    /// A text in place of `older`, and what to tell the user of it. A model that cannot summarise
    /// costs the memory of what was said, not the session.
    fn summary(
        &mut self,
        form: &Form,
        older: &[Message],
        window: u64,
    ) -> Result<(String, &'static str), Error> {
        events::notice("the history is long: summarising its older part".to_owned());
        let bytes = usize::try_from(window / 2 * SOURCE_BYTES_PER_TOKEN).unwrap_or(usize::MAX);
        let source = Message::User(vec![Part::Text(transcript(older, bytes))]);
        let form = Form {
            model: form.model.clone(),
            settings: form.settings,
            system: SUMMARISER.to_owned(),
            tools: Vec::new(),
        };
        let mut answer = Answer::default();
        let request = form.request(&[source]);
        let outcome = ask(&request, &mut self.inbox, Shown::No, &mut answer);
        if let Err(error @ (Error::Cancelled | Error::BudgetExhausted(_))) = outcome {
            return Err(error);
        }
        let words = match answer.said() {
            Some(Message::Assistant(parts)) if outcome.is_ok() => text(&parts),
            _ => String::new(),
        };
        Ok(if words.trim().is_empty() {
            (
                "[the older part of this conversation was left out to make room]".to_owned(),
                "left out",
            )
        } else {
            (format!("Summary of the conversation so far:\n\n{words}"), "summarised")
        })
    }
}

fn is_user(message: &Message) -> bool {
    matches!(message, Message::User(_))
}

fn text(parts: &[AssistantPart]) -> String {
    let text = |part: &AssistantPart| match part {
        AssistantPart::Text(text) => Some(text.clone()),
        _ => None,
    };
    parts.iter().filter_map(text).collect()
}
