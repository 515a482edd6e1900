//! A file call that waits for the user.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use domain::{Answer, Question, TurnId, User};
use tokio::sync::{Notify, oneshot};
use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode;

use crate::bench::{Bench, rules};

struct Person {
    answer: &'static str,
    asked: Mutex<Vec<String>>,
}

#[async_trait]
impl User for Person {
    async fn ask(&self, question: &Question) -> Option<Answer> {
        self.asked.lock().unwrap().push(question.text.clone());
        Some(Answer { text: self.answer.into(), by: "test".into() })
    }
}

#[tokio::test]
async fn the_user_decides_on_the_place_and_not_on_its_spelling() {
    for (answer, allowed) in [("allow", true), ("deny", false)] {
        let person = Arc::new(Person { answer, asked: Mutex::default() });
        let mut guest = Bench::with(rules(&["path:.git/**"], &[]), person.clone());
        guest.file(".git/config", "text");
        let read = guest.read("./.git/../.git/config").await;
        assert_eq!(read.is_ok(), allowed, "{read:?}");
        assert_eq!(guest.write(".git/config", "new").await.is_ok(), allowed);
        let asked = person.asked.lock().unwrap();
        assert_eq!(*asked, ["read `.git/config`?", "change `.git/config`?"]);
    }
}

#[tokio::test]
async fn a_move_of_too_much_to_ask_about_is_denied() {
    let person = Arc::new(Person { answer: "allow", asked: Mutex::default() });
    let mut guest = Bench::with(rules(&["path:.git/**"], &[]), person.clone());
    for n in 0..9 {
        guest.file(&format!(".git/{n}"), "");
    }
    assert_eq!(guest.rename(".git", "x").await, Err(ErrorCode::Access));
    assert!(person.asked.lock().unwrap().is_empty());
}

/// Never answers.
struct Thinker(Notify);

#[async_trait]
impl User for Thinker {
    async fn ask(&self, _question: &Question) -> Option<Answer> {
        self.0.notify_one();
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_cancellation_ends_the_call() {
    let thinker = Arc::new(Thinker(Notify::new()));
    let mut guest = Bench::with(rules(&["path:a"], &[]), thinker.clone());
    guest.file("a", "text");
    let (cancel, cancelled) = oneshot::channel::<()>();
    guest.approvals.begin_turn(TurnId::mint(), async move {
        let _ = cancelled.await;
    });
    let (read, ()) = tokio::join!(guest.read("a"), async {
        thinker.0.notified().await;
        cancel.send(()).unwrap();
    });
    assert_eq!(read, Err(ErrorCode::Access));
}
