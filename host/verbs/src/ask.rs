//! `xpressclaw:xclaw/ask`.

use bindings::xclaw::ask as wit;
use bindings::xclaw::types::Error;
use domain::limits::QUESTION_MAX_BYTES;
use domain::{Event, Question};

use crate::VerbsView;

impl wit::Host for VerbsView<'_> {
    async fn ask(
        &mut self,
        question: String,
        choices: Vec<String>,
    ) -> wasmtime::Result<Result<String, Error>> {
        let ctx = &self.0;
        if ctx.cancellation.is_cancelled() {
            return Ok(Err(Error::Cancelled));
        }
        let size = question.len() + choices.iter().map(String::len).sum::<usize>();
        if question.trim().is_empty() || size > QUESTION_MAX_BYTES {
            return Ok(Err(Error::Invalid(format!(
                "`question` must not be empty, and have at most {QUESTION_MAX_BYTES} bytes \
                 together with `choices`"
            ))));
        }
        if choices.iter().any(|choice| choice.trim().is_empty()) {
            return Ok(Err(Error::Invalid("a choice of `choices` must not be empty".into())));
        }
        if let Err(refused) = ctx.allow("ask", &question).await {
            return Ok(Err(refused));
        }
        let question = Question::new(question, choices);
        let event = Event::Ask {
            id: question.id.clone(),
            question: question.text.clone(),
            choices: question.choices.clone(),
            call: None,
        };
        ctx.events.caused(event, size, &ctx.cancellation).await;
        let asked = tokio::select! {
            biased;
            () = ctx.cancellation.cancelled() => Err(Error::Cancelled),
            answer = ctx.user.ask(&question) => Ok(answer),
        };
        let given = asked.as_ref().ok().and_then(Option::as_ref);
        ctx.events.host(Event::Answered {
            id: question.id.clone(),
            by: given.map(|answer| answer.by.clone()),
            answer: given.map(|answer| answer.text.clone()),
        });
        let answer = match asked {
            Ok(answer) => answer.map(|answer| answer.text),
            Err(cancelled) => return Ok(Err(cancelled)),
        };
        Ok(match answer {
            Some(answer) if answer.len() > QUESTION_MAX_BYTES => {
                Err(Error::Other(format!("the answer passes {QUESTION_MAX_BYTES} bytes")))
            }
            Some(answer) if question.choices.is_empty() || question.choices.contains(&answer) => {
                Ok(answer)
            }
            Some(answer) => Err(Error::Other(format!("`{answer}` is none of the choices"))),
            None => Err(Error::Denied("no user is there to answer".into())),
        })
    }
}
