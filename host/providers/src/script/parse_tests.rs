use super::*;

#[test]
fn good_scripts() {
    let text = concat!(
        "{\"price\": {\"input\": \"$3\", \"output\": \"$15\", \"cached\": \"0.30\"}}\n",
        "\n",
        "{\"text\": \"Hello.\", \"thinking\": \"hm\"}\r\n",
        "   \n",
        "{\"tool_calls\": [{\"name\": \"read\", \"arguments\": {\"b\": 1, \"a\": 2}}, {\"name\": \"ls\"}], ",
        "\"usage\": {\"input\": 10, \"cached\": 4, \"output\": 3}, \"delay_ms\": 5}\n",
        "{\"error\": {\"status\": 429, \"message\": \"slow\", \"retry_after_ms\": 7}}\n",
        "{\"text\": \"a\", \"error\": {\"message\": \"cut\", \"after_text\": true}}\n",
        "{\"tool_calls\": [{\"name\": \"bad\", \"arguments\": \"{not json\"}]}\n",
        "{\"text\": \"\"}",
    );
    let parsed = parse("demo", text).unwrap();
    let expected = Price {
        input: 3_000_000_000,
        cached: 300_000_000,
        cache_write: 3_000_000_000,
        output: 15_000_000_000,
    };
    assert_eq!(parsed.price, Some(expected));
    let turns = parsed.turns;
    assert_eq!(turns.len(), 6);
    assert_eq!((turns[0].text.as_str(), turns[0].thinking.as_str()), ("Hello.", "hm"));
    let calls: Vec<_> =
        turns[1].tool_calls.iter().map(|c| (c.name.as_str(), c.arguments.as_str())).collect();
    // The order of keys is the script's.
    assert_eq!(calls, [("read", "{\"b\":1,\"a\":2}"), ("ls", "{}")]);
    assert_eq!(turns[1].delay_ms, 5);
    let usage = turns[1].usage.or_counted(99, 99);
    assert_eq!((usage.input, usage.cached, usage.output), (10, 4, 3));
    let error = turns[2].error.as_ref().unwrap();
    assert_eq!((error.status, error.retry_after_ms), (Some(429), Some(7)));
    assert_eq!(error.moment, Moment::BeforeText);
    assert_eq!(turns[3].error.as_ref().unwrap().moment, Moment::AfterText);
    assert_eq!(turns[4].tool_calls[0].arguments, "{not json");
}

#[test]
fn a_price_may_stand_on_any_line_and_repeat_itself() {
    let price = "\"price\": {\"input\": \"1\", \"output\": \"2\"}";
    let text = format!("{{\"text\": \"a\"}}\n{{\"text\": \"b\", {price}}}\n{{{price}}}\n");
    let parsed = parse("p", &text).unwrap();
    assert_eq!(parsed.turns.len(), 2);
    assert_eq!(parsed.price.map(|p| (p.cached, p.output)), Some((1_000_000_000, 2_000_000_000)));
}

#[test]
fn bad_lines_name_the_line_and_the_fix() {
    for (line, contains) in [
        ("{\"txt\": \"a\"}", "unknown field `txt`, expected one of `text`"),
        ("{\"text\": 1}", "expected a string"),
        ("{\"text\": \"a\", \"usage\": {\"in\": 1}}", "unknown field `in`"),
        ("{\"text\": \"a\", \"usage\": {\"input\": -1}}", "expected u64"),
        ("{\"text\": \"a\", \"usage\": {\"input\": 1, \"cached\": 2}}", "parts of `input`"),
        ("{\"text\": \"a\", \"usage\": {\"output\": 1, \"reasoning\": 2}}", "part of `output`"),
        ("{\"text\": \"a\"", "one JSON object on one line"),
        ("text", "one JSON object on one line"),
        ("[]", "one JSON object on one line"),
        ("{}", "says nothing"),
        ("{\"usage\": {\"input\": 1}}", "says nothing"),
        ("{\"tool_calls\": []}", "says nothing"),
        ("{\"tool_calls\": [{\"arguments\": {}}]}", "needs a `name`"),
        ("{\"tool_calls\": [{\"name\": \"x\", \"arguments\": [1]}]}", "`arguments` of `x`"),
        ("{\"tool_calls\": [{\"name\": \"x\", \"args\": {}}]}", "unknown field `args`"),
        ("{\"text\": \"a\", \"error\": {\"message\": \"m\"}}", "after_text"),
        ("{\"error\": {}}", "missing field `message`"),
        ("{\"error\": {\"message\": \"m\", \"status\": 200}}", "400 to 599, not 200"),
        ("{\"error\": {\"message\": \"m\", \"retry_after_ms\": 1}}", "needs a `status`"),
        ("{\"text\": \"a\", \"delay_ms\": 600001}", "at most 600000"),
        (
            "{\"price\": {\"input\": \"x\", \"output\": \"1\"}}",
            "price of `input`: `x` is not an amount",
        ),
        ("{\"price\": {\"input\": 3, \"output\": \"1\"}}", "expected a string"),
        ("{\"price\": {\"input\": \"3\"}}", "missing field `output`"),
        ("{\"price\": {\"input\": \"9\", \"output\": \"9\"}}", "line 1 already set another price"),
    ] {
        let first = "{\"text\": \"ok\", \"price\": {\"input\": \"1\", \"output\": \"1\"}}";
        let error = parse("demo", &format!("{first}\n\n{line}\n")).err().unwrap().to_string();
        assert!(error.starts_with("the script `demo`, line 3: "), "{line}: {error}");
        assert!(error.contains(contains), "{line}: {error}");
        assert!(!error.contains("at line 1"), "{line}: {error}");
    }
}

#[test]
fn files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.jsonl");
    assert!(matches!(read(&path), Err(ScriptError::Read { .. })));
    std::fs::write(&path, "\n\n").unwrap();
    let empty = parse("s", &read(&path).unwrap()).err().unwrap();
    assert!(empty.to_string().contains("holds no turn"), "{empty}");
    let long = std::fs::File::create(&path).unwrap();
    long.set_len(SCRIPT_MAX_BYTES + 1).unwrap();
    assert!(matches!(read(&path), Err(ScriptError::TooLong { .. })));
}
