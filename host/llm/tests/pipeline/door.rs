//! The door for guests: what the WIT functions return.

use bindings::base::content::Part as WitPart;
use bindings::llm::chat::{Host as _, HostCompletion as _};
use bindings::llm::models::Host as _;
use bindings::llm::types::{Error, Event, Message, Request, ToolChoice};
use domain::OnExceeded;
use domain::chat::{Delta, Finish};
use domain::limits::COMPLETIONS_MAX;
use futures::FutureExt as _;
use llm::host::{LlmCtx, LlmView};
use wasmtime::component::{Resource, ResourceTable};

use crate::bench::{Bench, cap};
use crate::fake::status;

struct Door {
    ctx: LlmCtx,
    table: ResourceTable,
}

impl Door {
    fn new(bench: &Bench) -> Self {
        let mut ctx = LlmCtx::new(bench.pipeline.clone(), bench.caller.clone(), bench.log.clone());
        ctx.cancellation = bench.context.cancellation.clone();
        ctx.steps = bench.context.steps.clone();
        Self { ctx, table: ResourceTable::new() }
    }

    fn view(&mut self) -> LlmView<'_> {
        LlmView { ctx: &mut self.ctx, table: &mut self.table }
    }

    async fn complete(&mut self, request: Request) -> Result<u32, Error> {
        Ok(self.view().complete(request).await.unwrap()?.rep())
    }

    async fn next(&mut self, completion: u32) -> Result<Vec<Event>, Error> {
        self.view().next(Resource::new_borrow(completion)).await.unwrap()
    }

    async fn is_ready(&mut self, completion: u32) -> bool {
        let waitable = self.view().ready(Resource::new_borrow(completion)).await.unwrap();
        let ready = self.table.get(&waitable).unwrap().is_ready();
        self.table.delete(waitable).unwrap();
        ready
    }

    async fn drop(&mut self, completion: u32) {
        self.view().drop(Resource::new_own(completion)).await.unwrap();
    }
}

fn request() -> Request {
    Request {
        model: None,
        system: None,
        messages: vec![Message::User(vec![WitPart::Text("hi".into())])],
        tools: Vec::new(),
        tool_choice: ToolChoice::Auto,
        max_output_tokens: None,
        temperature: None,
        effort: None,
        output_schema: None,
        stop: Vec::new(),
        extra: None,
    }
}

#[tokio::test(start_paused = true)]
async fn events_come_in_order_and_nothing_after_the_end() {
    let mut bench = Bench::new(Vec::new());
    let mut door = Door::new(&bench);
    let completion = door.complete(request()).await.unwrap();
    assert!(!door.is_ready(completion).await);
    let upstream = bench.next_call().await.accept();
    upstream.text("a").await;
    upstream.send(Delta::ToolCallStart { index: 0, id: "1".into(), name: "f".into() }).await;
    upstream.send(Delta::ToolCallArguments { index: 0, fragment: "{}".into() }).await;
    upstream.send(Delta::Finished(Finish::ToolCalls)).await;
    let mut events = Vec::new();
    while !matches!(events.last(), Some(Event::Finished(_))) {
        events.extend(door.next(completion).await.unwrap());
    }
    assert!(
        matches!(
            events.as_slice(),
            [
                Event::Text(_),
                Event::ToolCallStart(_),
                Event::ToolCallArguments(_),
                Event::Finished(outcome)
            ] if outcome.cost == 2
        ),
        "{events:?}"
    );
    for _ in 0..2 {
        assert!(door.next(completion).await.unwrap().is_empty());
        assert!(door.is_ready(completion).await);
    }
    door.drop(completion).await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_begun_that_nobody_has_room_to_hear_of() {
    let mut bench = Bench::new(Vec::new());
    let mut door = Door::new(&bench);
    bench.log.full.send_replace(true);
    assert!(door.complete(request()).now_or_never().is_none());
    assert!(bench.log.events().is_empty());
    assert!(bench.calls.try_recv().is_err());
    bench.log.full.send_replace(false);
    let completion = door.complete(request()).await.unwrap();
    bench.next_call().await.accept();
    door.drop(completion).await;
    // A cancelled turn does not wait for its reader.
    bench.log.full.send_replace(true);
    bench.turn.cancel();
    assert!(matches!(door.complete(request()).await, Err(Error::Cancelled)));
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_at_most_a_mebibyte_and_a_failure_comes_after_it() {
    let mut bench = Bench::new(Vec::new());
    let mut door = Door::new(&bench);
    let completion = door.complete(request()).await.unwrap();
    let upstream = bench.next_call().await.accept();
    let file = "x".repeat(900_000);
    let sending = async {
        upstream.text(&file).await;
        upstream.fail(status(500, None)).await;
    };
    let reading = async {
        let mut read = 0;
        loop {
            match door.next(completion).await {
                Ok(events) => {
                    let of = |event: &Event| match event {
                        Event::Text(text) => text.len(),
                        other => panic!("{other:?}"),
                    };
                    let batch: usize = events.iter().map(of).sum();
                    assert!(batch > 0 && batch <= 1 << 20);
                    read += batch;
                }
                Err(error) => return (read, error),
            }
        }
    };
    let ((), (read, error)) = tokio::join!(sending, reading);
    assert_eq!(read, file.len());
    assert!(matches!(error, Error::ProviderFailed(failure) if failure.retriable), "no");
    assert!(door.next(completion).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn cancelling_the_turn_ends_what_is_open_and_refuses_what_is_new() {
    let mut bench = Bench::new(Vec::new());
    let mut door = Door::new(&bench);
    let read = door.complete(request()).await.unwrap();
    let unread = door.complete(request()).await.unwrap();
    let first = bench.next_call().await.accept();
    let second = bench.next_call().await.accept();
    bench.turn.cancel();
    assert!(matches!(door.next(read).await, Err(Error::Cancelled)));
    assert!(door.next(read).await.unwrap().is_empty());
    // Also the one that nobody reads is given up upstream.
    first.gone().await;
    second.gone().await;
    assert!(matches!(door.next(unread).await, Err(Error::Cancelled)));
    assert!(matches!(door.complete(request()).await, Err(Error::Cancelled)));
    bench.pipeline.drain().await;
    assert_eq!(bench.used(), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn cancelling_ends_the_wait_for_money() {
    let bench = Bench::new(vec![cap(0, OnExceeded::Pause)]);
    let mut door = Door::new(&bench);
    let turn = bench.turn.clone();
    let (started, ()) = tokio::join!(door.complete(request()), async {
        tokio::time::sleep(std::time::Duration::from_secs(60)).await;
        turn.cancel();
    });
    assert!(matches!(started, Err(Error::Cancelled)));
    assert_eq!(bench.used(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn sixteen_may_be_open_and_one_that_ended_is_not() {
    let mut bench = Bench::new(Vec::new());
    let mut door = Door::new(&bench);
    let mut open = Vec::new();
    for _ in 0..COMPLETIONS_MAX {
        let completion = door.complete(request()).await.unwrap();
        open.push((completion, bench.next_call().await.accept()));
    }
    let error = door.complete(request()).await.unwrap_err();
    assert!(matches!(error, Error::InvalidRequest(_)), "{error:?}");
    // Read to its end, not dropped.
    let (completion, upstream) = &open[0];
    upstream.send(Delta::Finished(Finish::Stop)).await;
    let events = door.next(*completion).await.unwrap();
    assert!(matches!(events.as_slice(), [Event::Finished(_)]), "{events:?}");
    let more = door.complete(request()).await.unwrap();
    // Dropped, not read.
    door.drop(more).await;
    door.complete(request()).await.unwrap();
    assert!(door.complete(request()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn refusals_are_told_at_once() {
    let bench = Bench::new(vec![cap(0, OnExceeded::Stop)]);
    let mut door = Door::new(&bench);
    let error = door.complete(request()).await.unwrap_err();
    let Error::BudgetExhausted(budget) = error else { panic!("{error:?}") };
    assert_eq!((budget.scope.as_str(), budget.resets_at), ("agent", None));
    let unknown = Request { model: Some("nobody/knows".into()), ..request() };
    assert!(matches!(door.complete(unknown).await, Err(Error::UnknownModel(_))));
    for bad in [
        Request { extra: Some("{\"n\": 2}".into()), ..request() },
        Request { extra: Some("[]".into()), ..request() },
        Request { output_schema: Some("{".into()), ..request() },
        Request { messages: Vec::new(), ..request() },
        Request { model: Some("fake/unpriced".into()), ..request() },
    ] {
        let error = door.complete(bad).await.unwrap_err();
        assert!(matches!(error, Error::InvalidRequest(_)), "{error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn models_that_may_be_asked_for_are_listed_once_with_their_price() {
    let mut bench = Bench::new(Vec::new());
    bench.caller.models.extend(["fake/big".into(), "fake/none".into()]);
    let mut door = Door::new(&bench);
    let models = door.view().list_models().await.unwrap();
    let listed: Vec<_> = models.iter().map(|m| (m.name.as_str(), m.price.output)).collect();
    let each = 1_000_000;
    assert_eq!(
        listed,
        [("fake/big", each), ("fake/small", each), ("fake/free", 0), ("fake/panic", each)]
    );
}
