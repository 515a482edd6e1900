use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bindings::xclaw::ask::Host as _;
use domain::limits::QUESTION_MAX_BYTES;
use domain::{Answer, Question, User};

use crate::bench::{Bench, refused, store};

struct Person(String);

#[async_trait]
impl User for Person {
    async fn ask(&self, _question: &Question) -> Option<Answer> {
        Some(Answer { text: self.0.clone(), by: "test".into() })
    }
}

/// Thinks for ever.
struct Thinker;

#[async_trait]
impl User for Thinker {
    async fn ask(&self, _question: &Question) -> Option<Answer> {
        std::future::pending().await
    }
}

fn choices(choices: &[&str]) -> Vec<String> {
    choices.iter().map(|choice| (*choice).to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn the_users_answer_must_be_one_of_the_choices() {
    let long = "x".repeat(QUESTION_MAX_BYTES + 1);
    for (answer, of, expected) in [
        ("anything", choices(&[]), Ok("anything")),
        ("", choices(&[]), Ok("")),
        ("yes", choices(&["yes", "no"]), Ok("yes")),
        ("maybe", choices(&["yes", "no"]), Err("none of the choices")),
        (long.as_str(), choices(&[]), Err("the answer passes")),
    ] {
        let mut pi = Bench::with(&store(), "pi", Arc::new(Person(answer.into())));
        let result = pi.view().ask("which?".into(), of.clone()).await;
        match expected {
            Ok(text) => assert_eq!(result.unwrap().unwrap(), text),
            Err(says) => refused(result, "other", says),
        }
        let told = [format!("ask: which? {of:?}"), format!("answered: {answer} by test")];
        assert_eq!(pi.told(), told);
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_is_a_denial() {
    let mut pi = Bench::new(&store(), "pi");
    refused(pi.view().ask("which?".into(), Vec::new()).await, "denied", "no user");
    assert_eq!(pi.told(), ["ask: which? []", "answered:  by nobody"]);
}

#[tokio::test(start_paused = true)]
async fn unsound_questions_are_not_asked() {
    let huge = || "x".repeat(QUESTION_MAX_BYTES);
    for (question, of, says) in [
        (String::new(), choices(&[]), "question"),
        (" \n".into(), choices(&["yes"]), "question"),
        (huge() + "x", choices(&[]), "question"),
        (huge(), choices(&["x"]), "question"),
        ("which?".into(), choices(&["yes", ""]), "choices"),
        ("which?".into(), vec![String::new(); 1_000_000], "choices"),
    ] {
        let mut pi = Bench::with(&store(), "pi", Arc::new(Person("yes".into())));
        refused(pi.view().ask(question, of).await, "invalid", says);
        assert_eq!(pi.told(), Vec::<String>::new());
    }
    let mut pi = Bench::with(&store(), "pi", Arc::new(Person("yes".into())));
    assert!(pi.view().ask(huge(), Vec::new()).await.unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_cancellation_withdraws_the_question_and_refuses_new_ones() {
    let mut pi = Bench::with(&store(), "pi", Arc::new(Thinker));
    let turn = pi.turn.clone();
    let mut view = pi.view();
    let (answer, ()) = tokio::join!(view.ask("which?".into(), Vec::new()), async {
        tokio::time::sleep(Duration::from_secs(60)).await;
        turn.cancel();
    });
    refused(answer, "cancelled", "");
    assert_eq!(pi.told(), ["ask: which? []", "answered:  by nobody"]);
    refused(pi.view().ask("and now?".into(), Vec::new()).await, "cancelled", "");
    assert_eq!(pi.told(), Vec::<String>::new(), "the user is not asked");
}
