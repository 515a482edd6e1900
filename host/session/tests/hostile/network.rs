//! Every way to the network that a guest knows, from the guest's side. What the two layers let
//! through and what not is `host/network/tests`.

use std::net::TcpListener;

use domain::Event;

use crate::bench::{Host, Hostile};
use crate::model::Model;

/// Addresses that a machine and its network keep for themselves.
const PRIVATE: [&str; 6] =
    ["127.0.0.1", "[::1]", "169.254.169.254", "[fd00:ec2::254]", "10.0.0.1", "192.168.0.1"];

/// The first of them in other spellings.
const SPELLINGS: [&str; 3] = ["[::ffff:127.0.0.1]", "2130706433", "0x7f.1"];

async fn refused(hostile: &mut Hostile, act: &str) {
    let answer = hostile.answered(act).await;
    assert!(answer.starts_with("refused: "), "{act}: {answer}");
}

fn refusals(hostile: &Hostile) -> Vec<String> {
    let what = |event: &Event| match event {
        Event::Refused { what, .. } => Some(what.clone()),
        _ => None,
    };
    hostile.events().iter().filter_map(what).collect()
}

#[tokio::test]
async fn without_a_grant_nothing_is_reached() {
    let host = Host::new(Model::default());
    let mut hostile = host.hostile();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    for address in PRIVATE.iter().chain(&SPELLINGS) {
        refused(&mut hostile, &format!("http http {address}:{port} /")).await;
        // Told once; another spelling is the same place.
        let told = refusals(&hostile);
        assert_eq!(told.len(), usize::from(PRIVATE.contains(address)), "{told:?}");
        for what in told {
            assert!(what.contains("is not allowed"), "{what}");
            assert!(what.contains("--allow-net http://"), "it names the grant: {what}");
        }
        refused(&mut hostile, &format!("connect {address}:{port}")).await;
        refused(&mut hostile, &format!("udp {address}:{port}")).await;
    }
    for act in ["listen 127.0.0.1:0", "listen 0.0.0.0:0", "lookup localhost", "lookup example.com"]
    {
        refused(&mut hostile, act).await;
    }
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err(), "nobody connected");
    host.neighbour().await;
}

/// A grant opens what it names and nothing beside it.
#[tokio::test]
async fn a_grant_opens_one_place() {
    let host = Host::new(Model::default());
    let (open, shut) =
        (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    let (open, closed) = (open.local_addr().unwrap(), shut.local_addr().unwrap());
    let mut hostile = host.granted(&[&format!("tcp://{open}")]);
    assert_eq!(hostile.answered(&format!("connect {open}")).await, "ok: \"connected\"");
    refused(&mut hostile, &format!("connect {closed}")).await;
    refused(&mut hostile, &format!("udp {open}")).await;
    refused(&mut hostile, &format!("http http {open} /")).await;
    refused(&mut hostile, "connect 169.254.169.254:80").await;
    shut.set_nonblocking(true).unwrap();
    assert!(shut.accept().is_err(), "nobody connected");
}

/// A name is granted, its addresses are not public: DNS rebinding, and names of one's own network.
#[tokio::test]
async fn a_granted_name_does_not_lead_home() {
    let host = Host::new(Model::default());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    // A name of this machine, where its platform knows it at all.
    let mut hostile = host.granted(&[&format!("http://*.localhost:{port}"), "tcp://*.localhost:1"]);
    refused(&mut hostile, &format!("http http home.localhost:{port} /")).await;
    refused(&mut hostile, "lookup home.localhost").await;
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err(), "nobody connected");
}

#[tokio::test]
async fn a_thousand_refusals_are_told_so_often_and_no_more() {
    let host = Host::new(Model::default());
    let mut hostile = host.hostile();
    for port in 1..=300 {
        refused(&mut hostile, &format!("http http 10.0.0.1:{port} /")).await;
        assert!(refusals(&hostile).len() <= 1);
        assert_eq!(refusals(&hostile).len(), usize::from(port <= 256), "{port}");
    }
}

#[tokio::test]
async fn other_schemes_are_refused() {
    let host = Host::new(Model::default());
    let mut hostile = host.granted(&["http://127.0.0.1:1"]);
    for scheme in ["file", "ftp", "unix"] {
        refused(&mut hostile, &format!("http {scheme} 127.0.0.1:1 /etc/passwd")).await;
    }
}
