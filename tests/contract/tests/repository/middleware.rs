//! Middleware before a harness: chains of dummies are joined and linked, and whatever cannot be
//! joined is refused with the interface and what to do about it.

use anyhow::{Context, Result, bail, ensure};
use compose::{MIDDLEWARE_MAX, Part, compose};
use contract::component::{dummy, dummy_with_stranger};

use crate::load::{Host, at_version};

#[test]
fn chains_of_any_length_link_and_are_joined_once() -> Result<()> {
    let host = Host::new()?;
    let contract = crate::contract()?;
    let harness = host.file("harness", &dummy(&contract, "harness")?)?;
    let llm = host.file("llm", &dummy(&contract, "llm-middleware")?)?;
    let tools = host.file("tools", &dummy(&contract, "tools-middleware")?)?;
    let (alone, _) = host.load_behind(&harness, &[])?;
    for chain in [
        vec![llm.clone()],
        vec![tools.clone()],
        vec![llm.clone(), tools.clone(), llm.clone(), tools.clone()],
        vec![llm.clone(); MIDDLEWARE_MAX],
    ] {
        let (joined, compiled) = host.load_behind(&harness, &chain)?;
        ensure!(compiled, "a chain of {} was there before it was joined", chain.len());
        ensure!(joined.exports() == alone.exports(), "exports: {:?}", joined.exports());
        ensure!(joined.digest() == alone.digest(), "the harness keeps its digest");
        let names: Vec<_> = joined.middleware().iter().map(|part| part.name.as_str()).collect();
        ensure!(names == chain.iter().map(|file| file.name.as_str()).collect::<Vec<_>>());
        let (again, compiled) = host.load_behind(&harness, &chain)?;
        ensure!(!compiled, "a chain of {} was joined twice", chain.len());
        ensure!(again.middleware() == joined.middleware(), "the digests are the same");
    }
    // Another order is another component, and so are other bytes under the same name.
    ensure!(host.load_behind(&harness, &[tools.clone(), llm.clone()])?.1, "the order counts");
    let later = host.file("llm", &dummy(&at_version(&contract, "0.1.7")?, "llm-middleware")?)?;
    ensure!(host.load_behind(&harness, &[later])?.1, "the bytes count");
    Ok(())
}

#[test]
fn sync_harnesses_take_middleware_too() -> Result<()> {
    let host = Host::new()?;
    let contract = crate::contract()?;
    let harness = host.file("harness", &dummy(&contract, "harness-sync")?)?;
    let llm = host.file("llm", &dummy(&contract, "llm-middleware")?)?;
    host.load_behind(&harness, &[llm])?;
    Ok(())
}

/// A component without imports that exports what a harness does.
fn deaf() -> Result<Vec<u8>> {
    let text = r#"(component
        (instance $agent)
        (export "xpressclaw:harness/agent@0.1.0" (instance $agent)))"#;
    Ok(wat::parse_str(text)?)
}

#[test]
fn what_cannot_be_joined_is_refused_with_the_interface() -> Result<()> {
    let contract = crate::contract()?;
    let harness = dummy(&contract, "harness")?;
    let llm = dummy(&contract, "llm-middleware")?;
    let stranger = dummy_with_stranger(&contract, "llm-middleware")?;
    let newer = dummy(&at_version(&contract, "0.2.0")?, "llm-middleware")?;
    let deaf = deaf()?;
    for (what, harness, middleware, parts) in [
        ("a harness", &harness, &harness, &["`mw` is no middleware", "`llm-middleware`"][..]),
        (
            "an import that its world has not",
            &harness,
            &stranger,
            &["`mw` imports `checks:dummies/stranger@1.0.0`", "build it for the world"],
        ),
        (
            "another contract",
            &harness,
            &newer,
            &[
                "`guest` imports `xpressclaw:llm/chat@0.1.0`",
                "`mw` exports `xpressclaw:llm/chat@0.2.0`",
                "build both against one version",
            ],
        ),
        (
            "a harness that asks no model",
            &deaf,
            &llm,
            &["`guest` does not import `xpressclaw:llm/chat`", "`mw` would see nothing"],
        ),
    ] {
        let parts_of =
            [Part { name: "guest", bytes: harness }, Part { name: "mw", bytes: middleware }];
        let error = match compose(parts_of[0], &parts_of[1..]) {
            Err(error) => format!("{:#}", anyhow::Error::from(error)),
            Ok(_) => bail!("{what} was joined"),
        };
        for part in parts {
            ensure!(error.contains(part), "{what}: no `{part}` in: {error}");
        }
    }
    let one = Part { name: "mw", bytes: &llm };
    let error = compose(Part { name: "guest", bytes: &harness }, &[one; MIDDLEWARE_MAX + 1]);
    let error = error.err().context("a chain of any length was joined")?.to_string();
    ensure!(error.contains("at most 8"), "{error}");
    Ok(())
}
