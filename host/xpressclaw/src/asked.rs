//! Questions shown at a terminal: a typed line answers the oldest.

use std::collections::VecDeque;

use domain::{Question, QuestionId};

/// The open ones, in the order in which they were asked.
#[derive(Default)]
pub struct Asked(VecDeque<Question>);

impl Asked {
    /// `true`: it is the one to be answered now. One that is known stays where it is.
    pub fn add(&mut self, question: Question) -> bool {
        if self.0.iter().any(|known| known.id == question.id) {
            return false;
        }
        self.0.push_back(question);
        self.0.len() == 1
    }

    /// The one that a line answers.
    pub fn first(&self) -> Option<&Question> {
        self.0.front()
    }

    /// A question is over. `true`: it was the first, and another may follow.
    pub fn over(&mut self, id: &QuestionId) -> bool {
        let Some(at) = self.0.iter().position(|question| question.id == *id) else { return false };
        self.0.remove(at);
        at == 0
    }
}

/// A question with its choices, as it is shown.
pub fn text(question: &Question) -> String {
    let mut text = question.text.clone();
    for (number, choice) in (1..).zip(&question.choices) {
        text.push_str(&format!("\n  {number}) {choice}"));
    }
    text
}

/// What a typed line says to a question: a choice by its number or its name, or free text. `Err`
/// says what to type instead.
pub fn answer(question: &Question, line: &str) -> Result<String, String> {
    let choices = &question.choices;
    let typed = line.trim();
    if choices.is_empty() {
        return Ok(typed.to_owned());
    }
    let by_number = typed.parse::<usize>().ok().and_then(|n| choices.get(n.checked_sub(1)?));
    let by_name = choices.iter().find(|choice| choice.as_str() == typed);
    by_name
        .or(by_number)
        .cloned()
        .ok_or_else(|| format!("  type a number from 1 to {}", choices.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_choice_by_number_or_name() {
        let colours = Question::new("which?", ["red".to_owned(), "blue".to_owned()]);
        let numbers = Question::new("which?", ["2".to_owned(), "1".to_owned()]);
        let free = Question::new("which?", []);
        for (question, line, expected) in [
            (&colours, "2", Some("blue")),
            (&colours, " red ", Some("red")),
            (&colours, "0", None),
            (&colours, "3", None),
            (&colours, "green", None),
            (&colours, "", None),
            (&numbers, "2", Some("2")),
            (&free, " as I say ", Some("as I say")),
            (&free, "", Some("")),
        ] {
            assert_eq!(answer(question, line).ok().as_deref(), expected, "{line:?}");
        }
    }

    #[test]
    fn the_oldest_is_answered_first() {
        let [one, two, three] = ["1", "2", "3"].map(|text| Question::new(text, []));
        let mut asked = Asked::default();
        assert!(asked.add(one.clone()));
        assert!(!asked.add(two.clone()) && !asked.add(three.clone()) && !asked.add(one.clone()));
        assert!(!asked.over(&two.id), "it was not the one to be answered");
        assert!(asked.over(&one.id));
        assert_eq!(asked.first(), Some(&three));
        assert!(!asked.over(&one.id));
    }
}
