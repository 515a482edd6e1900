//! The same rules on the way of a machine: messages of 9p to the same workspace.
#![cfg(target_os = "linux")]

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use domain::{Answer, Event, Question, TurnId, User};
use ninep::Export;

use crate::bench::{Bench, rules};
use crate::client::{Client, ROOT, errno, flag};

/// What a machine of this session mounts.
fn machine(guest: &Bench) -> Client {
    let guard = guest.guard.of_share("/workspace").unwrap();
    Client::new(Export::open_guarded(&guest.host(""), guard).unwrap().server())
}

/// The decisions that were told, as `path verdict by`.
fn told(guest: &Bench) -> Vec<String> {
    let decision = |event: &Event| match event {
        Event::Approval { subject, verdict, by, .. } => {
            Some(format!("{subject} {} {by}", verdict.as_str()))
        }
        _ => None,
    };
    guest.events.lock().unwrap().iter().filter_map(decision).collect()
}

#[tokio::test]
async fn both_ways_to_the_workspace_have_the_same_rules() {
    let ask = ["path:.git/**", "path(write):src/**"];
    let deny = ["path:**/.env", "path:/workspace/secrets/", "path(read):log", "path:/state/**"];
    let mut guest = Bench::new(rules(&ask, &deny));
    let paths =
        ["a", ".env", "d/.Env", ".git/HEAD", "src/x", "secrets/a/b", "secrets2", "log", "state/x"];
    let mut refused = 0;
    for path in paths {
        guest.file(path, "text");
        let (read, write) = (guest.read(path).await.is_ok(), guest.write(path, "x").await.is_ok());
        let mut machine = machine(&guest);
        let (other_read, other_write) = (machine.get(path), machine.put(path, b"x"));
        for (allowed, answer) in [(read, other_read.map(drop)), (write, other_write)] {
            assert_eq!(answer, if allowed { Ok(()) } else { Err(errno::ACCES) }, "{path}");
            refused += usize::from(!allowed);
        }
        let renamed = guest.rename(path, "moved").await.is_ok();
        let (from, to) = if renamed { ("moved", path) } else { (path, "moved") };
        assert_eq!(machine.rename(from, to).is_ok(), renamed, "{path}");
    }
    assert_eq!(refused, 10, "some of all");
    // Directories with something refused in them stay, and are listed where they may be.
    let mut machine = machine(&guest);
    assert_eq!(machine.rename("d", "e"), Err(errno::ACCES));
    assert_eq!(machine.names("d", 4096).unwrap(), [b".Env"]);
    assert_eq!(machine.names("secrets", 4096), Err(errno::ACCES));
    assert_eq!(machine.create("new/.env", flag::WRITE, 0o644), Err(errno::NOENT));
    machine.mkdir("new", 0o755).unwrap();
    assert_eq!(machine.create("new/.env", flag::WRITE, 0o644), Err(errno::ACCES));
}

struct Person {
    answer: &'static str,
    asked: Mutex<usize>,
}

#[async_trait]
impl User for Person {
    async fn ask(&self, _question: &Question) -> Option<Answer> {
        *self.asked.lock().unwrap() += 1;
        Some(Answer { text: self.answer.into(), by: "test".into() })
    }
}

#[tokio::test]
async fn nobody_is_asked_and_each_refusal_is_told_once_a_turn() {
    let person = Arc::new(Person { answer: "allow", asked: Mutex::default() });
    let guest = Bench::with(rules(&["path:.git/**"], &["path:**/.env"]), person.clone());
    guest.file(".env", "secret");
    guest.file(".git/HEAD", "text");
    let mut machine = machine(&guest);
    let refusals = [
        ".env denied rule deny path:**/.env",
        ".git/HEAD denied rule ask path:.git/** where nobody can be asked",
    ];
    for turn in 1..=2 {
        guest.approvals.begin_turn(TurnId::mint(), std::future::pending());
        for _ in 0..3 {
            assert_eq!(machine.get(".env"), Err(errno::ACCES));
            assert_eq!(machine.get(".git/HEAD"), Err(errno::ACCES));
        }
        assert_eq!(told(&guest), refusals.repeat(turn));
    }
    assert_eq!(*person.asked.lock().unwrap(), 0);
}

#[tokio::test]
async fn what_was_allowed_for_longer_is_allowed_to_programs() {
    for (answer, allowed) in [("allow", false), ("allow for this session", true)] {
        let person = Arc::new(Person { answer, asked: Mutex::default() });
        let mut guest = Bench::with(rules(&["path:.git/**"], &[]), person.clone());
        guest.file(".git/HEAD", "text");
        assert_eq!(guest.read(".git/HEAD").await.unwrap(), "text");
        let mut machine = machine(&guest);
        assert_eq!(machine.get(".git/HEAD").is_ok(), allowed, "{answer}");
        assert_eq!(machine.put(".git/HEAD", b"x"), Err(errno::ACCES), "only reading was allowed");
        assert_eq!(*person.asked.lock().unwrap(), 1);
    }
}

#[test]
fn without_rules_nothing_is_asked_and_what_is_no_directory_is_refused() {
    assert!(Bench::new(rules(&[], &[])).guard.of_share("/workspace").is_none());
    let guest = Bench::new(rules(&[], &["path:x"]));
    guest.file("a", "text");
    let nowhere = guest.guard.of_share("/elsewhere").unwrap();
    let export = Export::open_guarded(&guest.host(""), nowhere).unwrap();
    assert_eq!(Client::new(export.server()).get("a"), Err(errno::ACCES));
    // No rule can name it, so none can be kept.
    let mut machine = machine(&guest);
    let fid = machine.walk_from(ROOT, &[]).unwrap();
    assert_eq!(machine.create_at(fid, b"\xff", flag::WRITE, 0o644), Err(errno::ACCES));
}
