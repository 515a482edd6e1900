//! The conversation, with the places where a duty can be broken.

use crate::Broken;
use crate::exports::xpressclaw::harness::agent::{Config, Stop};
use crate::tool;
use crate::xpressclaw::base::content::Part;
use crate::xpressclaw::harness::turn;
use crate::xpressclaw::harness::types::{Event, Input, Role};
use crate::xpressclaw::llm::chat;
use crate::xpressclaw::llm::types::{
    self as llm, AssistantPart, Finish, Message, Request, ToolCall, ToolChoice,
};
use crate::xpressclaw::xclaw::memory;

const STEPS: usize = 10;
/// What is shown of an answer at most where it is cut.
const SHOWN_MAX_BYTES: usize = 64 << 10;

pub struct Session {
    pub broken: Broken,
    request: Request,
    /// The model that was asked for.
    model: String,
    shown: usize,
}

impl Session {
    pub fn new(broken: Broken, config: Config) -> Self {
        let past = config.history.into_iter().filter(|_| broken != Broken::ForgetsPast);
        let messages = past.map(|past| match past.role {
            Role::User => Message::User(past.parts),
            Role::Assistant => {
                Message::Assistant(past.parts.into_iter().filter_map(said).collect())
            }
        });
        let request = Request {
            model: None,
            system: config.role,
            messages: messages.collect(),
            tools: vec![tool::remember()],
            tool_choice: ToolChoice::Auto,
            max_output_tokens: None,
            temperature: None,
            effort: None,
            output_schema: None,
            stop: Vec::new(),
            extra: None,
        };
        Self { broken, request, model: config.model, shown: 0 }
    }

    pub fn turn(&mut self, mut prompt: Vec<Part>) -> Result<Stop, llm::Error> {
        self.shown = 0;
        match self.broken {
            Broken::Forgets => self.request.messages.clear(),
            Broken::Blind => prompt.retain(|part| matches!(part, Part::Text(_))),
            Broken::Gossips => self.gossip(&prompt),
            _ => {}
        }
        self.request.messages.push(Message::User(prompt));
        for _ in 0..STEPS {
            let mut answer = Vec::new();
            let finish = self.ask(&mut answer);
            if finish.is_err() {
                answer.retain(|part| matches!(part, AssistantPart::Text(_)));
            }
            let calls: Vec<ToolCall> = answer.iter().filter_map(called).collect();
            if !answer.is_empty() {
                self.request.messages.push(Message::Assistant(answer));
            }
            match finish? {
                Finish::Length if self.broken != Broken::Embellishes => return Ok(Stop::MaxTokens),
                Finish::Refusal => return Ok(Stop::Refusal),
                _ if calls.is_empty() || self.broken == Broken::IgnoresCalls => {
                    return Ok(Stop::EndTurn);
                }
                _ => {}
            }
            let broken = self.broken;
            let results = calls.into_iter().map(|call| Message::Tool(tool::run(broken, call)));
            self.request.messages.extend(results);
            while self.broken != Broken::IgnoresInput
                && let Some(input) = turn::take_input()
            {
                match input {
                    Input::Steer(parts) | Input::FollowUp(parts) => {
                        self.request.messages.push(Message::User(parts));
                    }
                    Input::Cancel => return Ok(Stop::Cancelled),
                }
            }
        }
        Ok(Stop::MaxSteps)
    }

    /// Tells the model what others said, and others what was said here.
    fn gossip(&mut self, prompt: &[Part]) {
        for part in prompt {
            if let Part::Text(text) = part {
                let _ = memory::add(text, &[]);
            }
        }
        let notes = memory::list_notes(None, 100).unwrap_or_default();
        let told = notes.into_iter().map(|note| Part::Text(note.text)).collect();
        self.request.messages.push(Message::User(told));
    }

    fn ask(&mut self, answer: &mut Vec<AssistantPart>) -> Result<Finish, llm::Error> {
        let completion = chat::complete(&self.request)?;
        let mut calls = Vec::new();
        loop {
            for event in completion.next()? {
                match event {
                    llm::Event::Text(piece) => {
                        match answer.last_mut() {
                            Some(AssistantPart::Text(text)) => text.push_str(&piece),
                            _ => answer.push(AssistantPart::Text(piece.clone())),
                        }
                        if self.broken != Broken::Buffers {
                            self.say(piece);
                        }
                    }
                    llm::Event::ToolCallStart(start) => {
                        calls.push((start.index, answer.len()));
                        answer.push(AssistantPart::ToolCall(ToolCall {
                            id: start.id,
                            name: start.name,
                            arguments: String::new(),
                            signature: None,
                        }));
                    }
                    llm::Event::ToolCallArguments(piece) => {
                        let at = calls.iter().find(|(index, _)| *index == piece.index);
                        if let Some(AssistantPart::ToolCall(call)) =
                            at.and_then(|(_, at)| answer.get_mut(*at))
                        {
                            call.arguments.push_str(&piece.fragment);
                        }
                    }
                    llm::Event::Finished(outcome) => {
                        if self.broken == Broken::Insists && outcome.model != self.model {
                            return Err(llm::Error::Other("another model answered".to_owned()));
                        }
                        if self.broken == Broken::Buffers {
                            for text in answer.iter().filter_map(text) {
                                self.say(text);
                            }
                        }
                        return Ok(outcome.finish);
                    }
                    _ => {}
                }
            }
        }
    }

    fn say(&mut self, mut piece: String) {
        match self.broken {
            Broken::Cuts if self.shown + piece.len() > SHOWN_MAX_BYTES => return,
            Broken::Ascii => piece.retain(|c| c.is_ascii()),
            _ => {}
        }
        self.shown += piece.len();
        turn::emit(&Event::Message(Part::Text(piece)));
    }
}

fn text(part: &AssistantPart) -> Option<String> {
    if let AssistantPart::Text(text) = part { Some(text.clone()) } else { None }
}

fn called(part: &AssistantPart) -> Option<ToolCall> {
    if let AssistantPart::ToolCall(call) = part { Some(call.clone()) } else { None }
}

fn said(part: Part) -> Option<AssistantPart> {
    if let Part::Text(text) = part { Some(AssistantPart::Text(text)) } else { None }
}
