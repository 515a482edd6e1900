use std::time::Duration;

use bindings::xclaw::log::{Host as _, Level as WitLevel};
use domain::limits::{LOG_LINE_MAX_BYTES, LOG_LINES_PER_MINUTE};
use store::log::Level;
use tokio::io::AsyncWriteExt;
use verbs::GuestOutput;

use crate::bench::{Bench, lines, messages, store};

#[tokio::test(start_paused = true)]
async fn lines_are_the_agents_own() {
    let store = store();
    let mut pi = Bench::new(&store, "pi");
    let levels = [
        (WitLevel::Trace, Level::Trace),
        (WitLevel::Debug, Level::Debug),
        (WitLevel::Info, Level::Info),
        (WitLevel::Warn, Level::Warn),
        (WitLevel::Error, Level::Error),
    ];
    for (level, _) in levels {
        pi.view().write(level, format!("{level:?}")).await.unwrap();
    }
    let written = lines(&store);
    assert_eq!(written.iter().map(|line| line.level).collect::<Vec<_>>(), levels.map(|l| l.1));
    assert!(written.iter().all(|line| line.agent == pi.ctx.agent));
    assert!(written.iter().all(|line| line.session.as_ref() == Some(&pi.ctx.session)));
}

#[tokio::test(start_paused = true)]
async fn a_long_line_is_cut_and_marked() {
    let store = store();
    let mut pi = Bench::new(&store, "pi");
    pi.view().write(WitLevel::Info, "ä".repeat(LOG_LINE_MAX_BYTES)).await.unwrap();
    let message = &lines(&store)[0].message;
    assert!(message.len() <= LOG_LINE_MAX_BYTES && message.len() > LOG_LINE_MAX_BYTES - 20);
    assert!(message.ends_with("ä… [cut]"), "{}", &message[message.len() - 20..]);
}

#[tokio::test(start_paused = true)]
async fn too_many_lines_a_minute_are_dropped_and_counted() {
    let store = store();
    let mut pi = Bench::new(&store, "pi");
    let most = LOG_LINES_PER_MINUTE as usize;
    for n in 0..most + 7 {
        pi.view().write(WitLevel::Info, n.to_string()).await.unwrap();
    }
    assert_eq!(lines(&store).len(), most);
    // All that go through one session count together.
    let mut output = GuestOutput::new(pi.ctx.lines.clone(), Level::Info);
    output.write_all(b"and one more\n").await.unwrap();
    assert_eq!(lines(&store).len(), most);
    tokio::time::advance(Duration::from_secs(60)).await;
    pi.view().write(WitLevel::Info, "a minute later".into()).await.unwrap();
    let written = messages(&store);
    assert_eq!(
        written[most..],
        [
            (Level::Warn, "8 lines were dropped: too many a minute".into()),
            (Level::Info, "a minute later".into())
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn what_was_dropped_is_counted_when_the_session_ends() {
    let store = store();
    let mut pi = Bench::new(&store, "pi");
    for _ in 0..LOG_LINES_PER_MINUTE + 3 {
        pi.view().write(WitLevel::Info, "x".into()).await.unwrap();
    }
    drop(pi);
    let last = messages(&store).pop();
    assert_eq!(last, Some((Level::Warn, "3 lines were dropped: too many a minute".into())));
}

async fn output(store: &store::Store, writes: &[&[u8]]) -> Vec<String> {
    let pi = Bench::new(store, "pi");
    let mut output = GuestOutput::new(pi.ctx.lines.clone(), Level::Warn);
    for bytes in writes {
        output.write_all(bytes).await.unwrap();
        output.flush().await.unwrap();
    }
    output.shutdown().await.unwrap();
    let written = messages(store);
    assert!(written.iter().all(|(level, _)| *level == Level::Warn));
    written.into_iter().map(|(_, message)| message).collect()
}

#[tokio::test(start_paused = true)]
async fn output_becomes_lines() {
    for (writes, expected) in [
        (vec!["one\ntwo\n".as_bytes()], vec!["one", "two"]),
        (vec![b"on", b"e\nt", b"wo"], vec!["one", "two"]),
        (vec![b"one\r\ntwo\r\n"], vec!["one", "two"]),
        (vec![b"\n\none\n\n"], vec!["one"]),
        (vec![], vec![]),
        // A character in two writes, and bytes that are none.
        (
            vec!["gr\u{fc}n".as_bytes().split_at(3).0, "gr\u{fc}n".as_bytes().split_at(3).1],
            vec!["grün"],
        ),
        (vec![b"a\xffb\n"], vec!["a\u{fffd}b"]),
    ] {
        assert_eq!(output(&store(), &writes).await, expected, "{writes:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_line_without_end_is_split_between_characters() {
    for text in ["x".repeat(3 * LOG_LINE_MAX_BYTES), "xä€😀".repeat(LOG_LINE_MAX_BYTES / 5)] {
        // In one write, and in small ones.
        for size in [text.len(), 1_000, 7] {
            let store = store();
            let writes: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
            let lines = output(&store, &writes).await;
            assert_eq!(lines.concat(), text, "{size}");
            assert!(lines.iter().all(|line| line.len() <= LOG_LINE_MAX_BYTES));
            let most = text.len().div_ceil(LOG_LINE_MAX_BYTES - 3);
            assert!(lines.len() <= most, "{} of {most}", lines.len());
        }
    }
    // A line of just that length is one.
    let text = "x".repeat(LOG_LINE_MAX_BYTES) + "\nnext\n";
    assert_eq!(output(&store(), &[text.as_bytes()]).await.len(), 2);
}
