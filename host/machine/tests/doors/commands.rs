//! What a command is, where it runs and what it finds there.

use bindings::machine::shell::Command;
use bindings::machine::types::Error;

use crate::bench::{Bench, Outcome, script, size};

/// What Linux takes as one argument, its end not included.
const LONGEST: usize = 131_071;
const ENVIRONMENT: usize = 64 << 10;

fn outcome(stdout: &str, stderr: &str, exit: &str) -> Outcome {
    Outcome { stdout: stdout.into(), stderr: stderr.into(), exit: exit.into() }
}

#[tokio::test]
async fn a_command_is_a_script_of_bash_with_its_directory_environment_and_exit() {
    let mut bench = Bench::allowed();
    std::fs::create_dir(bench.workspace.path().join("sub")).unwrap();
    for (text, expected) in [
        (
            "echo $0 ${BASH_VERSION:+is bash}; pwd",
            outcome("/bin/bash is bash\n/workspace\n", "", "0"),
        ),
        ("echo out; echo err >&2; exit 255", outcome("out\n", "err\n", "255")),
        ("exit 256", outcome("", "", "0")),
        ("kill -TERM $$", outcome("", "", "signal 15")),
        ("kill -KILL $$", outcome("", "", "signal 9")),
        ("touch from-inside; ls", outcome("from-inside\nsub\n", "", "0")),
    ] {
        assert_eq!(bench.run(script(text)).await, expected, "{text}");
    }
    let at = |cwd: &str| Command { cwd: Some(cwd.into()), ..script("pwd") };
    for cwd in ["/workspace/sub", "/"] {
        assert_eq!(bench.run(at(cwd)).await.stdout, format!("{cwd}\n"));
    }
    // Found out in the machine, so by the first call that needs an answer.
    for cwd in ["/nowhere", "/workspace/from-inside"] {
        let process = bench.spawn(at(cwd)).await;
        for _ in 0..2 {
            let told = bench.read(process, 1).await.unwrap_err();
            assert!(matches!(&told, Error::NotFound(text) if text.contains(cwd)), "{told:?}");
        }
        assert!(matches!(bench.exit(process).await, Err(Error::NotFound(_))));
        bench.drop(process).await;
    }

    let added = [("ADDED", "a b"), ("PAGER", "less"), ("EMPTY", "")];
    let env = added.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let text = "echo \"$ADDED $PAGER ${EMPTY-unset} $HOME $LANG\"";
    let outcome = bench.run(Command { env, ..script(text) }).await;
    assert_eq!(outcome.stdout, "a b less  /root C.UTF-8\n");

    // The longest that is promised arrives.
    let mut text = "echo ${#LONG} ${#1} $0; : ".to_owned();
    text += &"x".repeat(LONGEST - text.len());
    let env = vec![("LONG".to_owned(), "v".repeat(ENVIRONMENT - "LONG".len()))];
    let outcome = bench.run(Command { env, ..script(&text) }).await;
    let told = (outcome.stdout.as_str(), outcome.exit.as_str());
    assert_eq!(told, ("65532 0 /bin/bash\n", "0"), "{}", outcome.stderr);
}

#[tokio::test]
async fn what_is_no_command_is_refused_at_once() {
    let mut bench = Bench::allowed();
    let env = |name: &str, bytes: usize| vec![(name.to_owned(), "v".repeat(bytes))];
    let at = |cwd: &str| Command { cwd: Some(cwd.into()), ..script("pwd") };
    let many: Vec<_> = (0..=ENVIRONMENT).map(|_| ("A".to_owned(), String::new())).collect();
    let long_path = format!("/{}", "x".repeat(4096));
    for command in [
        script(""),
        script(&"x".repeat(LONGEST + 1)),
        script("echo a\0b"),
        at(""),
        at("sub"),
        at("./sub"),
        at("/a\0"),
        at(&long_path),
        Command { env: env("LONG", ENVIRONMENT + 1 - "LONG".len()), ..script("true") },
        Command { env: many, ..script("true") },
        Command { env: env("", 1), ..script("true") },
        Command { env: env("A=B", 1), ..script("true") },
        Command { env: env("A\0", 1), ..script("true") },
        Command { pty: Some(size(0, 24)), ..script("true") },
        Command { pty: Some(size(80, 0)), ..script("true") },
    ] {
        let refused = bench.try_spawn(command.clone()).await;
        assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}: {:.80?}", command.script);
    }
}
