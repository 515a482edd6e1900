//! Several answers at once from the real model: none knows of the others.

use std::num::NonZeroU32;
use std::sync::Mutex;

use domain::chat::{AssistantPart, Delta, Finish, Message, Request, ToolChoice};
use domain::provider::{Call, Provider};
use futures::StreamExt as _;
use futures::future::join_all;
use local_model::{LocalModel, Options};
use serde_json::{Value as Json, json};

use crate::common::{Answer, answer, call, open, options, tool, user};

fn parallel(count: u32) -> Options {
    Options { parallel: NonZeroU32::new(count).unwrap(), ..options() }
}

/// A task whose answer is clear even to the smallest model: rounding changes nothing of it.
fn copy(word: &str) -> Request {
    let mut messages = Vec::new();
    for example in ["apple", "river", "seven"] {
        messages.push(user(&format!("Say only the word: {example}")));
        messages.push(Message::Assistant(vec![AssistantPart::Text(example.to_owned())]));
    }
    messages.push(user(&format!("Say only the word: {word}")));
    Request { messages, ..Request::default() }
}

fn long(words: usize) -> Request {
    let text = format!("Count from one to two hundred in words. {}", "Go on. ".repeat(words));
    Request { messages: vec![user(&text)], ..Request::default() }
}

async fn all(model: &LocalModel, calls: impl IntoIterator<Item = Call>) -> Vec<Answer> {
    let answers = join_all(calls.into_iter().map(|call| answer(model, call))).await;
    answers.into_iter().map(Result::unwrap).collect()
}

#[tokio::test]
async fn sessions_answer_together_as_they_do_alone() {
    let words = ["window", "garden", "bottle", "candle"];
    let mut alone = Vec::new();
    for word in words {
        // A model of its own: nothing was read before.
        alone.push(answer(&open(options()), call(word, 8, copy(word))).await.unwrap());
    }
    let together = all(&open(options()), words.map(|word| call(word, 8, copy(word)))).await;
    for ((word, alone), together) in words.iter().zip(&alone).zip(&together) {
        assert!(alone.text.contains(word), "{alone:?}");
        assert_eq!(together.text, alone.text);
        assert_eq!(together.finish, alone.finish);
        assert_eq!(
            (together.usage.input, together.usage.output),
            (alone.usage.input, alone.usage.output)
        );
    }
}

#[tokio::test]
async fn a_long_prompt_does_not_stop_the_others() {
    let model = open(parallel(2));
    let mut writing = model.call(call("a", 80, long(0))).await.unwrap();
    while !matches!(writing.next().await, Some(Ok(Delta::Text(_)))) {}
    let reading = model.call(call("b", 2, long(200))).await.unwrap();
    let order = Mutex::new(Vec::new());
    let watch = |who: char, mut deltas: domain::provider::Deltas| {
        let order = &order;
        async move {
            while let Some(delta) = deltas.next().await {
                if let Delta::Text(_) | Delta::Usage(_) = delta.unwrap() {
                    order.lock().unwrap().push(who);
                }
            }
        }
    };
    futures::join!(watch('a', writing), watch('b', reading));
    let order: String = order.into_inner().unwrap().into_iter().collect();
    let before = order.find('b').unwrap();
    assert!(before >= 5, "it was written while the prompt was read: {order}");
}

#[tokio::test]
async fn each_answer_keeps_its_own_grammar() {
    let model = open(options());
    let number = tool(
        "pick",
        "Picks a number",
        json!({
            "type": "object", "properties": {"n": {"type": "integer", "minimum": 0, "maximum": 9}}, "required": ["n"],
        }),
    );
    let colour = tool(
        "paint",
        "Paints",
        json!({
            "type": "object", "properties": {"colour": {"enum": ["red", "blue"]}}, "required": ["colour"],
        }),
    );
    let demand = |tool, text: &str| Request {
        messages: vec![user(text)],
        tools: vec![tool],
        tool_choice: ToolChoice::Required,
        // Warm enough to try what the grammar forbids.
        temperature: Some(1.5),
        ..Request::default()
    };
    let schema = Request {
        messages: vec![user("Describe the sea.")],
        output_schema: Some(
            json!({"type": "object", "properties": {"deep": {"type": "boolean"}}, "required": ["deep"], "additionalProperties": false}),
        ),
        ..Request::default()
    };
    let calls = [
        call("a", 60, demand(number, "Pick one.")),
        call("b", 60, demand(colour, "Paint it.")),
        call("c", 60, schema),
        call("d", 8, copy("window")),
    ];
    let [a, b, c, d] = all(&model, calls).await.try_into().unwrap();
    for (answer, name, key) in [(&a, "pick", "n"), (&b, "paint", "colour")] {
        assert!(!answer.calls.is_empty(), "{answer:?}");
        for (_, called, arguments) in &answer.calls {
            assert_eq!(called, name);
            let arguments: Json =
                serde_json::from_str(arguments).unwrap_or_else(|e| panic!("{arguments}: {e}"));
            assert!(arguments.get(key).is_some(), "{arguments}");
        }
    }
    assert!(serde_json::from_str::<Json>(&c.text).unwrap()["deep"].is_boolean(), "{c:?}");
    assert!(d.text.contains("window"), "{d:?}");
}

#[tokio::test]
async fn those_beyond_the_places_wait_in_their_order() {
    let model = open(parallel(1));
    let order = Mutex::new(Vec::new());
    let asked = ["a", "b", "c"].map(|session| {
        let (model, order) = (&model, &order);
        async move {
            let answered = answer(model, call(session, 6, copy("window"))).await.unwrap();
            order.lock().unwrap().push(session);
            answered
        }
    });
    let answers = join_all(asked).await;
    assert_eq!(order.into_inner().unwrap(), ["a", "b", "c"]);
    assert!(answers.iter().all(|answer| answer.text.contains("window")), "{answers:?}");
}

#[tokio::test]
async fn a_dropped_answer_gives_its_place_to_the_next() {
    let model = open(parallel(1));
    let mut first = model.call(call("a", 900, long(0))).await.unwrap();
    while !matches!(first.next().await, Some(Ok(Delta::Text(_)))) {}
    let given_up = model.call(call("b", 900, long(50))).await.unwrap();
    let waiting = model.call(call("c", 6, copy("garden"))).await.unwrap();
    drop(given_up);
    drop(first);
    let text: String = waiting
        .filter_map(|delta| async move {
            match delta.unwrap() {
                Delta::Text(text) => Some(text),
                _ => None,
            }
        })
        .collect()
        .await;
    assert!(text.contains("garden"), "{text}");
}

#[tokio::test]
async fn answers_that_fill_the_window_together_are_put_off_and_not_cut() {
    let model = open(Options { context: NonZeroU32::new(256).unwrap(), ..options() });
    let calls = (0..3).map(|i| {
        let text = format!("Story {i}. {}", "The ship sailed on. ".repeat(10 + i));
        call(&format!("s{i}"), 60, Request { messages: vec![user(&text)], ..Request::default() })
    });
    for answered in all(&model, calls).await {
        let whole = match answered.finish {
            Some(Finish::Stop) => answered.usage.output > 0,
            Some(Finish::Length) => answered.usage.output == 60,
            _ => false,
        };
        assert!(whole, "{answered:?}");
    }
    // Whoever is alone has all of it, and what does not fit is still refused.
    let alone = answer(&model, call("alone", 16, long(50))).await.unwrap();
    assert!(alone.usage.input > 128 && alone.usage.output > 0, "{alone:?}");
    assert!(model.call(call("huge", 60, long(200))).await.is_err());
}

#[tokio::test]
async fn what_begins_alike_is_read_once() {
    let model = open(options());
    let story = "The lighthouse keeper had three cats. ".repeat(40);
    let calls = ["one", "two", "three"].map(|number| {
        let system = Some(story.clone());
        let messages = vec![user(&format!("Say the word {number}."))];
        call(number, 4, Request { system, messages, ..Request::default() })
    });
    let [first, second, third] = all(&model, calls).await.try_into().unwrap();
    assert!(first.usage.cached < 20, "{first:?}");
    for shared in [second, third] {
        assert!(shared.usage.cached > 200, "{shared:?}");
    }
}

#[test]
fn layers_for_a_gpu_need_a_program_that_was_built_for_one() {
    let wanted = Options { gpu_layers: 8, ..options() };
    let opened = LocalModel::open(&crate::common::model_path(), wanted);
    if cfg!(any(feature = "cuda", feature = "vulkan", target_vendor = "apple")) {
        return;
    }
    let refused = opened.err().unwrap().to_string();
    assert!(
        refused.contains("gpu_layers is 8") && refused.contains("without support"),
        "{refused}"
    );
}
