//! Memory, tasks and the log, as the verbs use them.
#![allow(clippy::unwrap_used)]

use domain::limits::LOG_LINE_MAX_BYTES;
use domain::{AgentName, SessionId};
use store::Store;
use store::log::{LOG_LINES_MAX, Level, TAIL_MAX, Tail};
use store::memory::MemoryError;
use store::task::{Change, Status, TaskError};

fn agent(name: &str) -> AgentName {
    AgentName::new(name).unwrap()
}

fn texts(store: &Store, query: &str) -> Vec<String> {
    let hits = store.memory().search(&agent("pi"), query, 100).unwrap();
    hits.into_iter().map(|hit| hit.note.text).collect()
}

#[test]
fn notes_are_found_by_their_words() {
    let store = Store::in_memory().unwrap();
    let notes: [(&str, &[&str]); 6] = [
        ("The café in Zürich opens at nine", &["travel"]),
        ("Deploy with cargo xtask, never by hand", &["build", "rust"]),
        ("Rust, rust and more rust: borrow checker notes", &[]),
        ("deployment keys rotate in May", &[]),
        ("foo-bar is the staging host", &[]),
        ("unrelated", &["deploy"]),
    ];
    for (text, tags) in notes {
        let tags: Vec<String> = tags.iter().map(|t| (*t).to_owned()).collect();
        store.memory().add(&agent("pi"), text, &tags, 7).unwrap();
    }
    // Neither accents nor case matter, composed or not.
    for query in ["cafe", "CAFÉ", "cafe\u{301}", "zurich", "Zu\u{308}rich"] {
        assert_eq!(texts(&store, query), [notes[0].0], "{query}");
    }
    // All words count, none is required; a word also finds longer ones, below the exact matches,
    // and a tag counts more than the text.
    assert_eq!(texts(&store, "deploy"), [notes[5].0, notes[1].0, notes[3].0]);
    assert_eq!(texts(&store, "rust elephant").len(), 2);
    assert_eq!(texts(&store, "bar"), [notes[4].0]);
    // Nothing in a query is an operator, and nothing in it is an error.
    for query in ["\"", "' OR 1=1 --", "NOT rust", "text:rust", "rust*", "(rust", "ru^st", "a\0b"] {
        texts(&store, query);
    }
    assert_eq!(texts(&store, "NOT rust").len(), 2);
    assert_eq!(texts(&store, "  -- !"), [""; 0]);
    let hits = store.memory().search(&agent("pi"), "rust deploy", 100).unwrap();
    assert!(hits.windows(2).all(|pair| pair[0].score >= pair[1].score));
    assert_eq!(
        hits.iter().find(|h| h.note.text == notes[1].0).unwrap().note.tags,
        ["build", "rust"]
    );
    assert_eq!(store.memory().search(&agent("pi"), "rust", 1).unwrap().len(), 1);
}

#[test]
fn a_query_may_hold_many_words() {
    let store = Store::in_memory().unwrap();
    store.memory().add(&agent("pi"), "word200", &[], 0).unwrap();
    let many: Vec<String> = (1..=256).map(|n| format!("word{n}")).collect();
    assert_eq!(texts(&store, &many.join(" ")), ["word200"]);
    let error = store.memory().search(&agent("pi"), &format!("{} x", many.join(" ")), 1);
    assert_eq!(error.unwrap_err().to_string(), "`query` must be at most 256 items");
}

#[test]
fn notes_page_newest_first_and_go_for_good() {
    let store = Store::in_memory().unwrap();
    let memory = store.memory();
    let ids: Vec<String> = (0..5)
        .map(|n| memory.add(&agent("pi"), &format!("note {n}"), &[], n).unwrap().to_string())
        .collect();
    let page = memory.list(&agent("pi"), None, 2).unwrap();
    assert_eq!(page.iter().map(|n| n.created).collect::<Vec<_>>(), [4, 3]);
    let next = memory.list(&agent("pi"), Some(&page[1].id.to_string()), 10).unwrap();
    assert_eq!(next.iter().map(|n| n.created).collect::<Vec<_>>(), [2, 1, 0]);

    memory.delete(&agent("pi"), &ids[4]).unwrap();
    let again = memory.delete(&agent("pi"), &ids[4]);
    assert!(matches!(again, Err(MemoryError::NotFound { id }) if id == ids[4]));
    assert_eq!(texts(&store, "note").len(), 4);
    // An id never comes back.
    let new = memory.add(&agent("pi"), "new", &[], 9).unwrap().to_string();
    assert!(!ids.contains(&new));
}

#[test]
fn agents_do_not_see_each_other() {
    let store = Store::in_memory().unwrap();
    let id = store.memory().add(&agent("pi"), "secret", &[], 0).unwrap().to_string();
    let task = store.task().create(&agent("pi"), "secret", "", None, 0).unwrap().to_string();
    let spy = agent("spy");
    assert!(store.memory().search(&spy, "secret", 10).unwrap().is_empty());
    assert!(store.memory().list(&spy, None, 10).unwrap().is_empty());
    assert!(store.memory().delete(&spy, &id).is_err());
    assert!(store.task().list(&spy, None, 10).unwrap().is_empty());
    assert!(store.task().get(&spy, &task).is_err());
    assert!(store.task().update(&spy, &task, &Change::default(), 0).is_err());
    assert!(store.task().create(&spy, "child", "", Some(&task), 0).is_err());
    assert_eq!(texts(&store, "secret").len(), 1);
}

#[test]
fn notes_have_limits() {
    let store = Store::in_memory().unwrap();
    let memory = store.memory();
    let tags = |count, bytes| vec!["t".repeat(bytes); count];
    let add = |text: &str, tags: Vec<String>| memory.add(&agent("pi"), text, &tags, 0);
    add(&"x".repeat(65_536), tags(16, 64)).unwrap();
    for (text, tags, message) in [
        (String::new(), tags(0, 0), "`text` must be 1 to 65536 bytes"),
        ("x".repeat(65_537), tags(0, 0), "`text` must be 1 to 65536 bytes"),
        ("x".to_owned(), tags(17, 1), "`tags` must be at most 16 items"),
        ("x".to_owned(), tags(1, 65), "`tags` must be 1 to 64 bytes"),
        ("x".to_owned(), tags(1, 0), "`tags` must be 1 to 64 bytes"),
    ] {
        assert_eq!(add(&text, tags).unwrap_err().to_string(), message);
    }
    assert!(memory.search(&agent("pi"), "x", 0).is_err());
    assert!(memory.list(&agent("pi"), None, 101).is_err());
    assert!(memory.list(&agent("pi"), Some("../x"), 10).is_err());
    for id in ["", "0", "-1", "1 ", "x", "99999999999999999999"] {
        assert!(matches!(memory.delete(&agent("pi"), id), Err(MemoryError::NotFound { .. })));
    }
}

#[test]
fn tasks_live_through_their_statuses() {
    let store = Store::in_memory().unwrap();
    let tasks = store.task();
    let pi = agent("pi");
    let parent = tasks.create(&pi, "ship it", "all of it", None, 10).unwrap();
    let child = tasks.create(&pi, "test it", "", Some(&parent.to_string()), 11).unwrap();
    let found = tasks.get(&pi, &child.to_string()).unwrap();
    assert_eq!((found.parent, found.status, found.created), (Some(parent), Status::Open, 11));

    for status in Status::ALL {
        let change = Change { status: Some(status), ..Change::default() };
        let task = tasks.update(&pi, &child.to_string(), &change, 12).unwrap();
        assert_eq!((task.status, task.title.as_str()), (status, "test it"));
        assert_eq!(tasks.get(&pi, &child.to_string()).unwrap(), task);
    }
    let change =
        Change { title: Some("new".to_owned()), detail: Some("d".to_owned()), status: None };
    let task = tasks.update(&pi, &child.to_string(), &change, 20).unwrap();
    assert_eq!((task.title.as_str(), task.detail.as_str(), task.updated), ("new", "d", 20));
    // The same change again changes nothing, not even the time.
    assert_eq!(tasks.update(&pi, &child.to_string(), &change, 30).unwrap(), task);

    let ids = |status| -> Vec<_> {
        tasks.list(&pi, status, 100).unwrap().iter().map(|task| task.id).collect()
    };
    assert_eq!(ids(None), [child, parent]);
    assert_eq!(ids(Some(Status::Cancelled)), [child]);
    assert_eq!(ids(Some(Status::Done)), []);
    assert_eq!(tasks.list(&pi, None, 1).unwrap().len(), 1);
}

#[test]
fn tasks_have_limits() {
    let store = Store::in_memory().unwrap();
    let tasks = store.task();
    let pi = agent("pi");
    let long = "x".repeat(65_537);
    for (title, detail) in
        [("", ""), ("a\nb", ""), ("a\rb", ""), (&long[..257], ""), ("a", long.as_str())]
    {
        assert!(matches!(tasks.create(&pi, title, detail, None, 0), Err(TaskError::Invalid(_))));
    }
    let id = tasks.create(&pi, &long[..256], &long[..65_536], None, 0).unwrap().to_string();
    let change = Change { title: Some(String::new()), ..Change::default() };
    assert!(matches!(tasks.update(&pi, &id, &change, 0), Err(TaskError::Invalid(_))));
    for parent in ["77", "", "x"] {
        let error = tasks.create(&pi, "a", "", Some(parent), 0).unwrap_err();
        assert_eq!(error.to_string(), format!("no task `{parent}`"));
    }
    assert!(tasks.list(&pi, None, 0).is_err());
}

#[test]
fn the_log_tails_and_filters() {
    let store = Store::in_memory().unwrap();
    let log = store.log();
    let session = SessionId::new("s").unwrap();
    for (n, level) in Level::ALL.into_iter().enumerate() {
        let session = (n % 2 == 0).then_some(&session);
        log.append(&agent("pi"), session, level, &format!("line {n}"), n as u64).unwrap();
    }
    log.append(&agent("other"), None, Level::Error, "theirs", 9).unwrap();
    let tail = |tail: Tail<'_>, limit| -> Vec<String> {
        log.tail(&tail, limit).unwrap().into_iter().map(|line| line.message).collect()
    };
    let all = Tail::default();
    assert_eq!(tail(all, 2), ["line 4", "theirs"]);
    assert_eq!(tail(Tail { agent: Some(&agent("pi")), ..all }, 2), ["line 3", "line 4"]);
    assert_eq!(tail(Tail { session: Some(&session), ..all }, 9), ["line 0", "line 2", "line 4"]);
    assert_eq!(tail(Tail { level: Some(Level::Warn), ..all }, 9), ["line 3", "line 4", "theirs"]);
    let last = log.tail(&all, 1).unwrap()[0].id;
    assert_eq!(tail(Tail { after: Some(last), ..all }, 9), [""; 0]);
    assert_eq!(tail(Tail { after: Some(last - 1), ..all }, 9), ["theirs"]);
}

#[test]
fn long_lines_are_cut_between_characters() {
    let store = Store::in_memory().unwrap();
    for message in ["ä".repeat(LOG_LINE_MAX_BYTES), "x".repeat(LOG_LINE_MAX_BYTES)] {
        store.log().append(&agent("pi"), None, Level::Info, &message, 0).unwrap();
    }
    let lines = store.log().tail(&Tail::default(), 2).unwrap();
    assert!(lines[0].message.len() <= LOG_LINE_MAX_BYTES);
    assert!(lines[0].message.ends_with("ä… [cut]"));
    assert_eq!(lines[1].message.len(), LOG_LINE_MAX_BYTES);
    assert!(!lines[1].message.contains('…'));
}

#[test]
fn a_chatty_agent_drops_its_own_past_only() {
    let store = Store::in_memory().unwrap();
    store.log().append(&agent("quiet"), None, Level::Info, "first", 0).unwrap();
    for n in 0..LOG_LINES_MAX + 10 {
        store.log().append(&agent("chatty"), None, Level::Info, &n.to_string(), 0).unwrap();
    }
    let lines = |name| {
        let agent = agent(name);
        let agent = Some(&agent);
        store.log().tail(&Tail { agent, ..Tail::default() }, TAIL_MAX).unwrap()
    };
    assert_eq!(lines("quiet").len(), 1);
    let kept = lines("chatty");
    assert_eq!(kept.len(), LOG_LINES_MAX as usize);
    assert_eq!((kept[0].message.as_str(), kept.last().unwrap().message.as_str()), ("10", "10009"));
}
