//! Somebody who is asked.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use domain::{Answer, Question, User};
use tokio::sync::{Notify, Semaphore};

/// Says this, when the test lets them.
pub struct Person {
    says: &'static str,
    may_answer: Semaphore,
    pub asked: Mutex<Vec<Question>>,
    begun: Semaphore,
    withdrawn: Notify,
}

impl Person {
    pub fn who_says(says: &'static str) -> Arc<Self> {
        Arc::new(Self {
            says,
            may_answer: Semaphore::new(0),
            asked: Mutex::default(),
            begun: Semaphore::new(0),
            withdrawn: Notify::new(),
        })
    }

    pub fn answer(&self) {
        self.may_answer.add_permits(1);
    }

    /// Resolves when one more question came.
    pub async fn is_asked(&self) -> Question {
        self.begun.acquire().await.unwrap().forget();
        self.asked.lock().unwrap().last().unwrap().clone()
    }

    pub async fn is_not_asked_any_more(&self) {
        self.withdrawn.notified().await;
    }
}

struct Asking<'a>(Option<&'a Notify>);

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        if let Some(withdrawn) = self.0 {
            withdrawn.notify_one();
        }
    }
}

#[async_trait]
impl User for Person {
    async fn ask(&self, question: &Question) -> Option<Answer> {
        self.asked.lock().unwrap().push(question.clone());
        self.begun.add_permits(1);
        let mut asking = Asking(Some(&self.withdrawn));
        self.may_answer.acquire().await.ok()?.forget();
        asking.0 = None;
        Some(Answer { text: self.says.into(), by: "test".into() })
    }
}
