use super::*;
use serde_json::json;

/// Feeds fragments and gives each call as (id, name, arguments), in the order of their start.
fn together(taken: &[&str], fragments: Value) -> Result<Vec<(String, String, String)>, String> {
    let mut calls = Calls::new(taken.iter().map(|id| (*id).to_owned()).collect());
    let mut built: Vec<(String, String, String)> = Vec::new();
    for fragment in fragments.as_array().unwrap() {
        for delta in calls.take(serde_json::from_value(fragment.clone()).unwrap())? {
            match delta {
                Delta::ToolCallStart { index, id, name } => {
                    assert_eq!(index as usize, built.len());
                    built.push((id, name, String::new()));
                }
                Delta::ToolCallArguments { index, fragment } => {
                    built[index as usize].2.push_str(&fragment);
                }
                other => panic!("{other:?}"),
            }
        }
    }
    calls.finish()?;
    Ok(built)
}

fn function(name: Option<&str>, arguments: &str) -> Value {
    json!({"name": name, "arguments": arguments})
}

#[test]
fn by_index_with_ids() {
    let built = together(
        &[],
        json!([
            {"index": 0, "id": "a", "type": "function", "function": function(Some("read"), "")},
            {"index": 0, "function": function(None, "{\"p\":")},
            {"index": 1, "id": "b", "function": function(Some("write"), "{")},
            {"index": 0, "function": function(None, "1}")},
            {"index": 1, "id": "", "function": function(Some(""), "}")},
            {"index": 1, "id": "b", "function": function(Some("write"), "")},
        ]),
    );
    let call = |id: &str, name: &str, arguments: &str| (id.into(), name.into(), arguments.into());
    assert_eq!(built, Ok(vec![call("a", "read", "{\"p\":1}"), call("b", "write", "{}")]));
}

#[test]
fn odd_servers() {
    for (what, fragments, expected) in [
        (
            "the name in a later chunk",
            json!([
                {"index": 0, "id": "a", "function": {"arguments": "{\"p\""}},
                {"index": 0, "function": {"name": "read"}},
                {"index": 0, "function": {"arguments": ":1}"}},
            ]),
            vec![("read", "{\"p\":1}")],
        ),
        (
            "whole calls without index and id",
            json!([
                {"function": function(Some("read"), "{}")},
                {"function": function(Some("read"), "[]")},
            ]),
            vec![("read", "{}"), ("read", "[]")],
        ),
        (
            "fragments without index",
            json!([
                {"id": "a", "function": function(Some("read"), "{")},
                {"function": function(None, "}")},
                {"id": "b", "function": function(Some("write"), "")},
                {"id": "b", "function": function(None, "{}")},
            ]),
            vec![("read", "{}"), ("write", "{}")],
        ),
        (
            "every call under index 0",
            json!([
                {"index": 0, "id": "a", "function": function(Some("read"), "{}")},
                {"index": 0, "id": "b", "function": function(Some("write"), "[]")},
                {"index": 0, "function": function(None, " ")},
            ]),
            vec![("read", "{}"), ("write", "[] ")],
        ),
        (
            "the id after the name",
            json!([
                {"index": 0, "function": function(Some("read"), "{")},
                {"index": 0, "id": "a", "function": function(None, "}")},
            ]),
            vec![("read", "{}")],
        ),
        (
            "arguments as an object",
            json!([{"index": 0, "id": "a", "function": {"name": "read", "arguments": {"p": 1}}}]),
            vec![("read", "{\"p\":1}")],
        ),
        (
            "no arguments",
            json!([{"index": 0, "id": "a", "function": {"name": "read", "arguments": null}}]),
            vec![("read", "")],
        ),
    ] {
        let built = together(&[], fragments).unwrap();
        let named: Vec<_> = built.iter().map(|(_, n, a)| (n.as_str(), a.as_str())).collect();
        assert_eq!(named, expected, "{what}");
        let ids: HashSet<_> = built.iter().map(|(id, ..)| id).collect();
        assert!(ids.len() == built.len() && !ids.contains(&String::new()), "{what}: {ids:?}");
    }
}

#[test]
fn signatures_follow_their_call() {
    let signed = |signature: &str| json!({"google": {"thought_signature": signature}});
    let mut calls = Calls::new(HashSet::new());
    let mut take = |fragment: Value| calls.take(serde_json::from_value(fragment).unwrap());
    let signature = |text: &str| Delta::ToolCallSignature { index: 0, signature: text.into() };
    // Before the name, and after it.
    let early = take(json!({"index": 0, "id": "a", "extra_content": signed("s1")}));
    assert_eq!(early, Ok(vec![]));
    let named = take(json!({"index": 0, "function": {"name": "read", "arguments": "{}"}})).unwrap();
    assert_eq!(named.len(), 3);
    assert_eq!(named[2], signature("s1"));
    let late = take(json!({"index": 0, "extra_content": signed("s2")}));
    assert_eq!(late, Ok(vec![signature("s2")]));
    let long = "x".repeat(SIGNATURE_MAX_BYTES + 1);
    assert!(take(json!({"index": 0, "extra_content": signed(&long)})).is_err());
}

#[test]
fn ids_stay_unique_in_the_conversation() {
    let built = together(
        &["call_0"],
        json!([
            {"index": 0, "id": "call_0", "function": function(Some("read"), "{}")},
            {"index": 1, "id": "call_1", "function": function(Some("read"), "{}")},
        ]),
    )
    .unwrap();
    assert!(built[0].0 != "call_0" && built[0].0.starts_with("call_"), "{}", built[0].0);
    assert!(built[0].0.len() <= 40);
    assert_eq!(built[1].0, "call_1");
}

#[test]
fn floods_and_nameless_calls_are_malformed() {
    let many: Vec<_> = (0..=CALLS_MAX)
        .map(|n| json!({"index": n, "id": n.to_string(), "function": {"name": "x"}}))
        .collect();
    let half = "x".repeat(HELD_ARGUMENTS_MAX_BYTES / 2 + 1);
    let piece = json!({"index": 0, "function": {"arguments": half}});
    let long = "x".repeat(NAME_MAX_BYTES + 1);
    for (fragments, contains) in [
        (json!(many), "more than 128 tool calls"),
        (json!([piece, piece]), "without its name"),
        (json!([{"index": 0, "id": "a"}]), "without a name"),
        (json!([{"index": 0, "id": long}]), "longer than"),
        (json!([{"index": 0, "function": {"name": long}}]), "longer than"),
    ] {
        let error = together(&[], fragments).unwrap_err();
        assert!(error.contains(contains), "{error}");
    }
}
