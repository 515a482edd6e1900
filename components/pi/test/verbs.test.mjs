// The host's verbs and tools as tools of pi.
import assert from "node:assert/strict";
import { test } from "node:test";
import { failure } from "./support/handles.mjs";
import { resultsIn, start, updates } from "./support/pi.mjs";

async function run(calls, options) {
  const started = await start({ ...options, script: [{ calls }, { text: "ok" }] });
  await started.turn("go");
  return { ...started, results: resultsIn(started.host.requests.at(-1)) };
}

test("memory: add, search, list and delete", async () => {
  const { host, results } = await run([
    ["memory_add", { text: "the user likes tabs", tags: ["style"] }],
    ["memory_add", { text: "the port is 8935" }],
    ["memory_search", { query: "tabs" }],
    ["memory_list", { limit: 1 }],
    ["memory_delete", { id: "note_1" }],
    ["memory_delete", { id: "note_9" }],
  ]);
  assert.equal(results[0].text, "added note note_1");
  assert.deepEqual(JSON.parse(results[2].text), [
    { id: "note_1", text: "the user likes tabs", tags: ["style"], created: "2023-11-14T22:13:20.000Z" },
  ]);
  assert.equal(JSON.parse(results[3].text)[0].id, "note_2");
  assert.equal(results[4].text, "deleted note note_1");
  assert.ok(results[5].failed);
  assert.equal(results[5].text, "not-found: no note note_9");
  assert.deepEqual(host.notes.map(({ id }) => id), ["note_2"]);
});

test("tasks: create, update and list", async () => {
  const { host, results } = await run([
    ["task_create", { title: "Paint the shed" }],
    ["task_update", { id: "task_1", status: "active" }],
    ["task_list", { status: "active" }],
    ["task_update", { id: "task_1", status: "nonsense" }],
  ]);
  assert.equal(JSON.parse(results[2].text)[0].title, "Paint the shed");
  assert.ok(results[3].failed, "arguments are validated before the host sees them");
  assert.equal(host.tasks[0].status, "active");
});

test("budget and questions", async () => {
  const line = { scope: "agent", window: "daily", cap: 500_000_000, settled: 120_000_001, reserved: 0, resetsAt: null };
  const { results } = await run(
    [
      ["budget_status", {}],
      ["ask_user", { question: "Which?", choices: ["red", "blue"] }],
    ],
    { budget: [line], ask: (question, choices) => `${question} ${choices[1]}` },
  );
  assert.equal(JSON.parse(results[0].text)[0].left, 0.379999999);
  assert.equal(results[1].text, "Which? blue");
  const alone = await run([["ask_user", { question: "Which?" }]]);
  assert.equal(updates(alone.host)[0].status, "denied");
});

test("the host's tools are pi's, renamed where the name is taken", async () => {
  const parameters = '{"type":"object","properties":{"x":{"type":"number"}},"required":["x"]}';
  const invocation = (output) => (args, callId, host) => {
    let over = false;
    host.onIdle.push(() => (over = true));
    return host.handles.open("invocation", {
      ready: () => host.handles.waitable(() => over),
      finish: () => {
        if (typeof output === "function") return output(args, callId);
        throw failure(output);
      },
    });
  };
  const text = (val) => [{ tag: "text", val }];
  const tools = [
    { name: "double", description: "Doubles", parameters, call: invocation((args, id) => ({ content: text(`${JSON.parse(args).x * 2} ${id}`), failed: false })) },
    { name: "read", description: "Reads the web", parameters, call: invocation(() => ({ content: text("it broke"), failed: true })) },
    { name: "secret", description: "Refuses", parameters, call: invocation({ tag: "denied", val: "policy line 3" }) },
  ];
  const { host, results } = await run(
    [["double", { x: 21 }], ["host_read", { x: 1 }], ["secret", { x: 1 }], ["double", { x: "many" }]],
    { tools },
  );
  assert.equal(results[0].text, "42 call_1");
  assert.deepEqual(results[1], { failed: true, text: "it broke" });
  assert.match(results[2].text, /policy line 3/);
  assert.equal(updates(host).find(({ id }) => id === "call_3").status, "denied");
  assert.ok(results[3].failed);
  const names = host.requests[0].tools.map(({ name }) => name);
  assert.ok(names.includes("read") && names.includes("host_read"));
});

test("tools that the host adds between turns are there in the next one", async () => {
  const tools = [];
  const { host, turn } = await start({ tools, script: [{ text: "one" }, { text: "two" }] });
  await turn("a");
  tools.push({ name: "later", description: "Came later", parameters: '{"type":"object"}', call: () => {} });
  await turn("b");
  const names = (request) => request.tools.map(({ name }) => name);
  assert.ok(!names(host.requests[0]).includes("later"));
  assert.deepEqual(names(host.requests[1]).sort(), [...names(host.requests[0]), "later"].sort());
  assert.match(host.requests[1].system, /- later: Came later/);
});
