//! Ways out of the workspace, from the guest's side.

use std::fs;
use std::os::unix::fs::symlink;

use crate::bench::{Host, Hostile};
use crate::model::Model;

const SECRET: &str = "the-secret";

/// Beside the workspace lies what nobody may see.
fn host() -> (Host, Hostile) {
    let host = Host::new(Model::default());
    let hostile = host.hostile();
    fs::write(host.folder.path().join("outside/secret"), SECRET).unwrap();
    (host, hostile)
}

async fn refused(hostile: &mut Hostile, act: &str) {
    let answer = hostile.answered(act).await;
    assert!(answer.starts_with("refused: "), "{act}: {answer}");
    assert!(!answer.contains(SECRET), "{act}: {answer}");
}

#[tokio::test]
async fn no_path_leads_out() {
    let (host, mut hostile) = host();
    let outside = host.folder.path().join("outside/secret");
    for path in [
        "../outside/secret",
        "/workspace/../outside/secret",
        "/workspace/../../outside/secret",
        "a/../../outside/secret",
        "./.././outside/secret",
        "/outside/secret",
        outside.to_str().unwrap(),
        "//etc/passwd",
        "/etc/passwd",
        "/proc/self/environ",
        "/proc/self/root/etc/passwd",
        "/dev/null",
        "/state/../outside/secret",
        "/",
        "..",
    ] {
        for act in ["read", "list", "write"] {
            refused(&mut hostile, &format!("{act} {path} x")).await;
        }
        refused(&mut hostile, &format!("rename {path} /workspace/stolen")).await;
        refused(&mut hostile, &format!("link {path} stolen")).await;
    }
    assert_eq!(fs::read_to_string(outside).unwrap(), SECRET);
    assert!(!host.workspace().join("stolen").exists());
    host.neighbour().await;
}

#[tokio::test]
async fn no_link_that_the_guest_makes_leads_out() {
    let (host, mut hostile) = host();
    let outside = host.folder.path().join("outside");
    for (number, target) in
        ["../outside", "..", "/", "/proc/self/root", outside.to_str().unwrap()].iter().enumerate()
    {
        let name = format!("way{number}");
        // Where it is made (its target is relative), it is not followed.
        if hostile.answered(&format!("symlink {target} {name}")).await.starts_with("refused") {
            assert!(fs::symlink_metadata(host.workspace().join(name)).is_err(), "{target}");
            continue;
        }
        for rest in ["", "/secret", "/outside/secret", "/etc/passwd"] {
            refused(&mut hostile, &format!("read /workspace/{name}{rest}")).await;
            refused(&mut hostile, &format!("write /workspace/{name}{rest} x")).await;
        }
        refused(&mut hostile, &format!("list /workspace/{name}")).await;
        refused(&mut hostile, &format!("link {name}/secret stolen")).await;
    }
    // Of two steps, each of which stays inside until they are put together.
    hostile.answered("symlink .. inner").await;
    hostile.answered("symlink inner/outside outer").await;
    refused(&mut hostile, "read /workspace/outer/secret").await;
    // A circle.
    hostile.answered("symlink circle circle").await;
    refused(&mut hostile, "read /workspace/circle").await;
    assert_eq!(fs::read_to_string(outside.join("secret")).unwrap(), SECRET);
}

#[tokio::test]
async fn no_link_that_the_host_made_leads_out() {
    let (host, mut hostile) = host();
    let outside = host.folder.path().join("outside");
    symlink(&outside, host.workspace().join("absolute")).unwrap();
    symlink("../outside", host.workspace().join("relative")).unwrap();
    symlink(outside.join("secret"), host.workspace().join("file")).unwrap();
    fs::create_dir(host.workspace().join("inside")).unwrap();
    symlink("inside", host.workspace().join("good")).unwrap();
    for path in ["absolute/secret", "relative/secret", "file"] {
        refused(&mut hostile, &format!("read /workspace/{path}")).await;
        refused(&mut hostile, &format!("write /workspace/{path} x")).await;
    }
    for path in ["absolute", "relative"] {
        refused(&mut hostile, &format!("list /workspace/{path}")).await;
        refused(&mut hostile, &format!("write /workspace/{path}/new x")).await;
    }
    // One that stays inside is as good as any.
    assert_eq!(hostile.answered("write /workspace/good/new x").await, "ok: ()");
    assert!(host.workspace().join("inside/new").exists());
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
    assert_eq!(fs::read_to_string(outside.join("secret")).unwrap(), SECRET);
}

/// The state of another session lies beside one's own.
#[tokio::test]
async fn the_state_is_a_cage_as_well() {
    let (host, mut hostile) = host();
    fs::write(host.folder.path().join("state/secret"), SECRET).unwrap();
    for path in ["/state/../secret", "/state/../hostile.lock", "/state/.."] {
        refused(&mut hostile, &format!("read {path}")).await;
        refused(&mut hostile, &format!("write {path} x")).await;
    }
    assert_eq!(hostile.answered("write /state/own x").await, "ok: ()");
    assert!(host.folder.path().join("state/hostile/own").exists());
}
