use bindings::xclaw::task::{Change, Host as _, Status};
use domain::limits::{PAGE_MAX, TASK_DETAIL_MAX_BYTES, TASK_TITLE_MAX_BYTES};

use crate::bench::{Bench, refused, store};

fn change() -> Change {
    Change { title: None, detail: None, status: None }
}

#[tokio::test]
async fn tasks_are_created_changed_and_listed() {
    let store = store();
    let mut pi = Bench::new(&store, "pi");
    let parent = pi.view().create("ship it".into(), String::new(), None).await.unwrap().unwrap();
    let child = pi
        .view()
        .create("write it".into(), "all of it".into(), Some(parent.clone()))
        .await
        .unwrap()
        .unwrap();
    let every = [
        Status::Active,
        Status::Blocked,
        Status::Done,
        Status::Failed,
        Status::Cancelled,
        Status::Open,
    ];
    for status in every {
        let to = Change { status: Some(status), ..change() };
        let task = pi.view().update(child.clone(), to).await.unwrap().unwrap();
        assert_eq!(task.status, status);
        let listed = pi.view().list_tasks(Some(status), 10).await.unwrap().unwrap();
        let ids: Vec<_> = listed.iter().map(|task| task.id.clone()).collect();
        assert!(ids.contains(&child), "{status:?} {ids:?}");
    }
    let to = Change { title: Some("rewrite it".into()), ..change() };
    pi.view().update(child.clone(), to).await.unwrap().unwrap();
    let task = pi.view().get(child.clone()).await.unwrap().unwrap();
    assert_eq!((task.title.as_str(), task.detail.as_str()), ("rewrite it", "all of it"));
    assert_eq!(task.parent, Some(parent));
    let all = pi.view().list_tasks(None, 10).await.unwrap().unwrap();
    assert_eq!(all.iter().map(|t| t.title.as_str()).collect::<Vec<_>>(), ["rewrite it", "ship it"]);
    let told = pi.told();
    assert_eq!(
        told[..3],
        ["task.create: ship it", "task.create: write it", "task.update: active: write it"]
    );
}

#[tokio::test]
async fn an_agent_sees_and_changes_only_its_own() {
    let store = store();
    let (mut pi, mut echo) = (Bench::new(&store, "pi"), Bench::new(&store, "echo"));
    let id = pi.view().create("mine".into(), String::new(), None).await.unwrap().unwrap();
    let done = || Change { status: Some(Status::Done), ..change() };
    refused(echo.view().get(id.clone()).await, "not-found", &id);
    refused(echo.view().update(id.clone(), done()).await, "not-found", &id);
    let child = echo.view().create("x".into(), String::new(), Some(id.clone())).await.unwrap();
    assert!(child.is_err(), "a parent of another agent is unknown");
    assert!(echo.view().list_tasks(None, 10).await.unwrap().unwrap().is_empty());
    assert_eq!(pi.view().get(id).await.unwrap().unwrap().status, Status::Open);
    assert_eq!(echo.told(), Vec::<String>::new());
}

#[tokio::test]
async fn limits_name_the_argument() {
    let store = store();
    let mut pi = Bench::new(&store, "pi");
    for (title, detail, says) in [
        (String::new(), String::new(), "title"),
        ("x".repeat(TASK_TITLE_MAX_BYTES + 1), String::new(), "title"),
        ("two\nlines".into(), String::new(), "title"),
        ("x".into(), "x".repeat(TASK_DETAIL_MAX_BYTES + 1), "detail"),
    ] {
        refused(pi.view().create(title, detail, None).await, "invalid", says);
    }
    for limit in [0, PAGE_MAX + 1] {
        refused(pi.view().list_tasks(None, limit).await, "invalid", "limit");
    }
    for id in ["", "0", "nonsense", "99999999999999999999"] {
        refused(pi.view().get(id.into()).await, "not-found", id);
    }
    assert_eq!(pi.told(), Vec::<String>::new());
}
