use bindings::xclaw::memory::Host as _;
use bindings::xclaw::version::Host as _;
use domain::limits::{NOTE_MAX_BYTES, NOTE_TAG_MAX_BYTES, NOTE_TAGS_MAX, PAGE_MAX};

use crate::bench::{Bench, refused, store};

fn tags(count: usize, bytes: usize) -> Vec<String> {
    (0..count).map(|n| format!("{n:0bytes$}")).collect()
}

#[tokio::test]
async fn notes_are_added_found_listed_and_deleted() {
    let store = store();
    let mut pi = Bench::new(&store, "pi");
    let mut ids = Vec::new();
    for text in ["the build needs clang", "tests take a minute", "clang is in /usr/bin"] {
        ids.push(pi.view().add(text.into(), vec!["build".into()]).await.unwrap().unwrap());
    }
    let hits = pi.view().search("clang".into(), 10).await.unwrap().unwrap();
    assert_eq!(hits.len(), 2);
    assert!(hits[0].score >= hits[1].score);
    let newest = pi.view().list_notes(None, 2).await.unwrap().unwrap();
    assert_eq!(newest[0].text, "clang is in /usr/bin");
    assert_eq!(newest[0].tags, ["build"]);
    assert!(newest[0].created > 1_600_000_000_000, "milliseconds");
    let before = Some(newest[1].id.clone());
    let oldest = pi.view().list_notes(before, 2).await.unwrap().unwrap();
    assert_eq!(oldest.len(), 1);
    assert_eq!(oldest[0].id, ids[0]);
    pi.view().delete(ids[0].clone()).await.unwrap().unwrap();
    refused(pi.view().delete(ids[0].clone()).await, "not-found", &ids[0]);
    let told = pi.told();
    assert_eq!(told.len(), 4, "{told:?}");
    assert_eq!(told[0], "memory.add: the build needs clang");
    assert_eq!(told[3], format!("memory.delete: {}", ids[0]));
}

#[tokio::test]
async fn an_agent_sees_and_deletes_only_its_own() {
    let store = store();
    let (mut pi, mut echo) = (Bench::new(&store, "pi"), Bench::new(&store, "echo"));
    let id = pi.view().add("a secret of pi".into(), Vec::new()).await.unwrap().unwrap();
    assert!(echo.view().search("secret".into(), 10).await.unwrap().unwrap().is_empty());
    assert!(echo.view().list_notes(None, 10).await.unwrap().unwrap().is_empty());
    refused(echo.view().delete(id.clone()).await, "not-found", &id);
    assert_eq!(pi.view().list_notes(None, 10).await.unwrap().unwrap().len(), 1);
    assert_eq!(echo.told(), Vec::<String>::new());
}

#[tokio::test]
async fn limits_name_the_argument() {
    let store = store();
    let mut pi = Bench::new(&store, "pi");
    for (text, tags, says) in [
        (String::new(), Vec::new(), "text"),
        ("x".repeat(NOTE_MAX_BYTES + 1), Vec::new(), "text"),
        ("x".into(), tags(NOTE_TAGS_MAX + 1, 1), "tags"),
        ("x".into(), tags(1, NOTE_TAG_MAX_BYTES + 1), "tags"),
        ("x".into(), vec![String::new()], "tags"),
    ] {
        refused(pi.view().add(text, tags).await, "invalid", says);
    }
    let most = pi.view().add("x".repeat(NOTE_MAX_BYTES), tags(NOTE_TAGS_MAX, 64)).await;
    assert!(most.unwrap().is_ok());
    for limit in [0, PAGE_MAX + 1] {
        refused(pi.view().search("x".into(), limit).await, "invalid", "limit");
        refused(pi.view().list_notes(None, limit).await, "invalid", "limit");
    }
    refused(pi.view().list_notes(Some("nonsense".into()), 1).await, "invalid", "before");
    refused(pi.view().search("x".repeat(1_025), 1).await, "invalid", "query");
    assert!(pi.view().search("x".repeat(1_024), 1).await.unwrap().is_ok());
    assert!(pi.view().search("?! ...".into(), 1).await.unwrap().unwrap().is_empty());
    // A long note is told in short.
    let told = pi.told();
    assert_eq!(told, [format!("memory.add: {}", "x".repeat(80))]);
}

#[tokio::test]
async fn the_version_is_the_contracts() {
    let store = store();
    let mut pi = Bench::new(&store, "pi");
    let version = pi.view().get().await.unwrap();
    assert_eq!(version.contract, verbs::CONTRACT);
    let wit = std::fs::read_to_string("../../wit/harness/worlds.wit").unwrap();
    assert!(wit.contains(&format!("xpressclaw:harness@{}", version.contract)));
    assert!(!version.host.is_empty());
}
