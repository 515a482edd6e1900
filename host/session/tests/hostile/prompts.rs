//! Prompts that a harness takes, and those that it is spared.

use domain::Part;
use domain::chat::Message;
use domain::content::Blob;
use session::TurnError;

use crate::bench::{Host, Setup, guest};
use crate::model::Model;

#[tokio::test]
async fn an_image_in_a_prompt_reaches_the_model_of_a_harness_that_takes_images() {
    let image = Part::Blob(Blob { mime: "image/png".into(), data: vec![137, 80, 78, 71] });
    for (harness, takes) in [("builtin", true), ("tests/hostile", false)] {
        let host = Host::new(Model::default());
        let mut opened = host.open(host.load(&guest(harness)), &Setup::default());
        let prompt = vec![Part::text("What is this?"), image.clone()];
        let report = opened.session.turn(prompt).await;
        let asked = host.model.asked();
        if !takes {
            assert!(matches!(report.result, Err(TurnError::NoImages)), "{:?}", report.result);
            assert!(asked.is_none(), "{harness}: nothing is asked: {asked:?}");
            continue;
        }
        assert!(report.result.is_ok(), "{harness}: {:?}", report.result);
        let asked = asked.expect("a request");
        let Some(Message::User(parts)) = asked.messages.last() else { panic!("{asked:?}") };
        assert!(parts.contains(&image), "{harness}: {parts:?}");
        let said = |part: &Part| matches!(part, Part::Text(text) if text.contains("What is this?"));
        assert!(parts.iter().any(said), "{harness}: {parts:?}");
    }
}
