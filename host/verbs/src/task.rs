//! `xpressclaw:xclaw/task`.

use bindings::xclaw::task as wit;
use bindings::xclaw::types::Error;
use store::task::{Change, Status, Task, TaskError};

use crate::{VerbsView, broken, now_ms};

impl wit::Host for VerbsView<'_> {
    async fn create(
        &mut self,
        title: String,
        detail: String,
        parent: Option<String>,
    ) -> wasmtime::Result<Result<String, Error>> {
        if let Err(refused) = self.0.allow("task.create", &title).await {
            return Ok(Err(refused));
        }
        let tasks = self.0.store.task();
        let created = tasks.create(&self.0.agent, &title, &detail, parent.as_deref(), now_ms());
        if created.is_ok() {
            self.0.changed("task.create", title).await;
        }
        Ok(created.map(|id| id.to_string()).map_err(error_out))
    }

    async fn update(
        &mut self,
        id: String,
        change: wit::Change,
    ) -> wasmtime::Result<Result<wit::Task, Error>> {
        let detail = change.title.as_ref().map(|title| format!("{id}: {title}"));
        if let Err(refused) = self.0.allow("task.update", detail.as_ref().unwrap_or(&id)).await {
            return Ok(Err(refused));
        }
        let change = Change {
            title: change.title,
            detail: change.detail,
            status: change.status.map(status_in),
        };
        let updated = self.0.store.task().update(&self.0.agent, &id, &change, now_ms());
        if let Ok(task) = &updated {
            self.0
                .changed("task.update", format!("{}: {}", task.status.as_str(), task.title))
                .await;
        }
        Ok(updated.map(task_out).map_err(error_out))
    }

    async fn get(&mut self, id: String) -> wasmtime::Result<Result<wit::Task, Error>> {
        if let Err(refused) = self.0.allow("task.get", &id).await {
            return Ok(Err(refused));
        }
        let task = self.0.store.task().get(&self.0.agent, &id);
        Ok(task.map(task_out).map_err(error_out))
    }

    async fn list_tasks(
        &mut self,
        status: Option<wit::Status>,
        limit: u32,
    ) -> wasmtime::Result<Result<Vec<wit::Task>, Error>> {
        if let Err(refused) = self.0.allow("task.list", "").await {
            return Ok(Err(refused));
        }
        let tasks = self.0.store.task().list(&self.0.agent, status.map(status_in), limit);
        Ok(tasks.map(|tasks| tasks.into_iter().map(task_out).collect()).map_err(error_out))
    }
}

fn status_in(status: wit::Status) -> Status {
    match status {
        wit::Status::Open => Status::Open,
        wit::Status::Active => Status::Active,
        wit::Status::Blocked => Status::Blocked,
        wit::Status::Done => Status::Done,
        wit::Status::Failed => Status::Failed,
        wit::Status::Cancelled => Status::Cancelled,
    }
}

fn task_out(task: Task) -> wit::Task {
    wit::Task {
        id: task.id.to_string(),
        title: task.title,
        detail: task.detail,
        status: match task.status {
            Status::Open => wit::Status::Open,
            Status::Active => wit::Status::Active,
            Status::Blocked => wit::Status::Blocked,
            Status::Done => wit::Status::Done,
            Status::Failed => wit::Status::Failed,
            Status::Cancelled => wit::Status::Cancelled,
        },
        parent: task.parent.map(|id| id.to_string()),
        created: task.created,
        updated: task.updated,
    }
}

fn error_out(error: TaskError) -> Error {
    match error {
        TaskError::Invalid(invalid) => Error::Invalid(invalid.to_string()),
        TaskError::NotFound { .. } => Error::NotFound(error.to_string()),
        TaskError::Full => Error::Other(error.to_string()),
        TaskError::Database(error) => broken(&error),
    }
}
