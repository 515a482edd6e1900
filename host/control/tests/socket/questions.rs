//! Questions that several can answer.

use control::Incoming;
use control::protocol::{Info, Notice, Questions, Reply, Request, State, Watch, Which};
use domain::{Question, User};
use serde_json::Value;

use crate::bench::{Bench, until};

fn question() -> Question {
    Question::new("which?", ["red".to_owned(), "blue".to_owned()])
}

fn reply(question: &Question, text: &str) -> Request {
    let question = question.id.clone();
    Request::Answer(Reply { session: None, question, text: text.into() })
}

async fn attend(bench: &Bench) -> control::Client {
    let mut client = bench.client().await;
    let watch = Request::Watch(Watch { session: None, answers: true });
    let _: Info = client.call(&watch).await.unwrap();
    client
}

/// Notices of questions, past everything else.
async fn heard(client: &mut control::Client) -> Notice {
    loop {
        if let Incoming::Notice(notice @ (Notice::Question { .. } | Notice::Answered { .. })) =
            client.next().await.unwrap()
        {
            return notice;
        }
    }
}

#[tokio::test]
async fn of_two_answers_at_once_one_wins_and_both_hear_whose() {
    let mut bench = Bench::new();
    bench.begin();
    let mut both = [attend(&bench).await, attend(&bench).await];
    let asked = question();
    let (desk, put) = (bench.desk.clone(), asked.clone());
    let asking = tokio::spawn(async move { desk.ask(&put).await });
    let note = bench.seat.note().await;
    bench.seat.show(&note);
    for client in &mut both {
        let Notice::Question { question, .. } = heard(client).await else { panic!("a question") };
        assert_eq!(question, asked);
    }
    assert_eq!(bench.board.list()[0].state, State::Asking);
    let Questions { questions } =
        both[0].call(&Request::Questions(Which::default())).await.unwrap();
    assert_eq!(questions, std::slice::from_ref(&asked));
    let [one, two] = &mut both;
    let (red, blue) = (reply(&asked, "red"), reply(&asked, "blue"));
    let (first, second) = tokio::join!(one.call::<Value>(&red), two.call::<Value>(&blue));
    assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
    let answer = asking.await.unwrap().unwrap();
    assert_eq!(answer.text, if first.is_ok() { "red" } else { "blue" });
    let note = bench.seat.note().await;
    bench.seat.show(&note);
    for client in &mut both {
        let Notice::Answered { question, by, text, .. } = heard(client).await else {
            panic!("an answer")
        };
        assert_eq!((&question, &text), (&asked.id, &Some(answer.text.clone())));
        assert_eq!(by, Some(format!("attach (pid {})", std::process::id())));
    }
}

#[tokio::test]
async fn an_answer_that_is_no_choice_or_comes_too_late_changes_nothing() {
    let mut bench = Bench::new();
    bench.begin();
    let mut client = attend(&bench).await;
    let asked = question();
    let (desk, put) = (bench.desk.clone(), asked.clone());
    let asking = tokio::spawn(async move { desk.ask(&put).await });
    bench.seat.note().await;
    let wrong = client.call::<Value>(&reply(&asked, "green")).await.unwrap_err();
    assert!(wrong.to_string().contains("none of the choices: red, blue"), "{wrong}");
    asking.abort();
    let _ = asking.await;
    let late = client.call::<Value>(&reply(&asked, "red")).await.unwrap_err();
    assert!(late.to_string().contains("the question is over"), "{late}");
    let unknown = client.call::<Value>(&reply(&question(), "red")).await.unwrap_err();
    assert!(unknown.to_string().contains("the question is over"), "{unknown}");
}

#[tokio::test]
async fn who_only_watches_keeps_no_question_waiting() {
    let mut bench = Bench::new();
    bench.begin();
    let mut watcher = bench.client().await;
    let _: Info = watcher.call(&Request::Watch(Watch::default())).await.unwrap();
    assert_eq!(bench.desk.ask(&question()).await, None);
    // Neither does one who could have answered and is gone.
    let answering = attend(&bench).await;
    let desk = bench.desk.clone();
    let asking = tokio::spawn(async move { desk.ask(&question()).await });
    bench.seat.note().await;
    drop(answering);
    assert_eq!(asking.await.unwrap(), None);
    until(|| bench.board.list()[0].questions == 0).await;
}
