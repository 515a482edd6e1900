// The mapping between the contract's model calls and pi's.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { MODEL } from "./support/model.mjs";
import { said, start } from "./support/pi.mjs";
import { entries } from "./support/session-file.mjs";

const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

test("thinking, signatures and calls are given back unchanged", async () => {
  const { host, turn } = await start({
    script: [
      { thinking: "let me look", signature: "sig-1", text: "Looking.", calls: [["ls", {}]], callSignature: "sig-2" },
      { text: "ok" },
    ],
  });
  await turn("look");
  const [, assistant] = host.requests.at(-1).messages;
  assert.deepEqual(assistant, {
    tag: "assistant",
    val: [
      { tag: "thinking", val: { text: "let me look", signature: "sig-1" } },
      { tag: "text", val: "Looking." },
      { tag: "tool-call", val: { id: "call_1", name: "ls", arguments: "{}", signature: "sig-2" } },
    ],
  });
});

test("usage and cost reach pi's session file to the nano-dollar", async () => {
  const usage = { input: 1000, cached: 600, cacheWritten: 100, output: 50, reasoning: 20 };
  const { host, turn } = await start({ script: [{ text: "hi", usage, cost: 1_234_567, model: "fallback" }] });
  await turn("hi");
  const { message } = entries(host).find((entry) => entry.message?.role === "assistant");
  const { cost, ...tokens } = message.usage;
  assert.deepEqual(tokens, { input: 300, output: 50, cacheRead: 600, cacheWrite: 100, totalTokens: 1050 });
  assert.equal(cost.total, 0.001234567);
  assert.equal(cost.output, (MODEL.price.output / 1e9 / 1e6) * 50);
  assert.equal(message.responseModel, "fallback");
});

test("every request carries system text, tools and limits", async () => {
  const { host, turn } = await start({
    script: [{ text: "hi" }],
    config: { role: "You guard the lighthouse.", settings: '{"defaultThinkingLevel":"high"}' },
  });
  writeFileSync(join(host.workspace, "AGENTS.md"), "too late");
  await turn("hi");
  const [request] = host.requests;
  assert.match(request.system, /You guard the lighthouse\./);
  assert.match(request.system, /<name>xclaw<\/name>/);
  assert.match(request.system, /- memory_search: /);
  assert.equal(request.effort, "high");
  assert.equal(request.maxOutputTokens, MODEL.maxOutputTokens);
  assert.equal(request.model, "scripted");
  const schema = JSON.parse(request.tools.find(({ name }) => name === "read").parameters);
  assert.deepEqual(schema.required, ["path"]);
});

test("images go to the model from the prompt and from read, and not where it cannot see", async () => {
  const blob = { tag: "blob", val: { mime: "image/png", data: new Uint8Array(PNG) } };
  const script = () => [{ calls: [["read", { path: "dot.png" }]] }, { text: "a dot" }];
  const seeing = await start({ script: script() });
  writeFileSync(join(seeing.host.workspace, "dot.png"), PNG);
  await seeing.turn("what is this?", blob);
  const [user, , tool] = seeing.host.requests.at(-1).messages;
  assert.equal(user.val[0].val, "what is this?");
  assert.equal(user.val[1].val.mime, "image/png");
  assert.deepEqual(Buffer.from(user.val[1].val.data), PNG);
  assert.deepEqual(Buffer.from(tool.val.content[1].val.data), PNG);

  const blind = await start({ script: script(), models: [{ ...MODEL, images: false }] });
  writeFileSync(join(blind.host.workspace, "dot.png"), PNG);
  await blind.turn("what is this?", blob);
  const text = JSON.stringify(blind.host.requests.at(-1).messages.map(({ val }) => val));
  assert.doesNotMatch(text, /image\/png","data/);
  assert.match(text, /model does not support images/);
});

test("a prompt with what pi cannot take says what to do", async () => {
  const { turn } = await start();
  const pdf = { tag: "blob", val: { mime: "application/pdf", data: new Uint8Array(3) } };
  await assert.rejects(turn("read this", pdf), (error) => {
    assert.equal(error.tag, "invalid");
    assert.match(error.val, /put the file into the workspace/);
    return true;
  });
});

test("a refusal and an output limit end the turn as such", async () => {
  const { turn, host } = await start({
    script: [{ text: "no", finish: "refusal" }, { text: "cut", finish: "length", usage: { output: 4_096 } }],
  });
  assert.equal(await turn("a"), "refusal");
  assert.equal(await turn("b"), "max-tokens");
  assert.equal(said(host), "cut");
});

test("text cut within a character never leaves the component", async () => {
  const { host, turn } = await start({ script: [{ calls: [["grep", { pattern: "x" }]] }, { text: "ok" }] });
  // pi cuts long lines at 500 UTF-16 units, here in the middle of a crab.
  writeFileSync(join(host.workspace, "long.txt"), `x${"🦀".repeat(600)}\n`);
  await turn("search");
  const [result] = host.requests.at(-1).messages.filter(({ tag }) => tag === "tool");
  assert.match(result.val.content[0].val, /🦀/);
});
