// What failed model calls do: retry, give up, compact.
import assert from "node:assert/strict";
import { test } from "node:test";
import { MODEL } from "./support/model.mjs";
import { said, start } from "./support/pi.mjs";
import { entries } from "./support/session-file.mjs";

const QUICK = '{"retry":{"baseDelayMs":1}}';
const notices = (host) => host.events.filter(({ tag }) => tag === "notice").map(({ val }) => val);
const provider = (status, message, retriable) => ({ tag: "provider-failed", val: { status, message, retriable } });

async function endsWith(script, tag, message, requests) {
  const { host, turn } = await start({ script, config: { settings: QUICK } });
  await assert.rejects(turn("go"), (error) => {
    assert.equal(error.tag, tag);
    assert.match(error.val, message);
    return true;
  });
  assert.equal(host.requests.length, requests);
}

test("a spent budget ends the turn at once", async () => {
  const spent = { tag: "budget-exhausted", val: { scope: "agent", resetsAt: null, message: "$0.50 a day is spent" } };
  await endsWith([{ refused: spent }], "budget", /out of budget \(agent\): \$0\.50 a day is spent/, 1);
});

test("what the host calls final is not tried again, whatever its text", async () => {
  await endsWith([{ refused: provider(500, "internal server error", false) }], "model", /500: internal/, 1);
  await endsWith([{ refused: { tag: "unknown-model", val: "gpt-0" } }], "model", /unknown model: gpt-0/, 1);
  await endsWith([{ refused: { tag: "invalid-request", val: "timeout of tools" } }], "model", /refused the request/, 1);
  await endsWith([{ refused: { tag: "other", val: "rate limit" } }], "model", /rate limit/, 1);
});

test("a passing failure is tried again, also in the middle of an answer", async () => {
  const { host, turn } = await start({
    script: [{ refused: provider(null, "odd", true) }, { text: "half an ans", error: provider(502, "cut", true) }, { text: "whole" }],
    config: { settings: QUICK },
  });
  assert.equal(await turn("go"), "end-turn");
  assert.ok(said(host).endsWith("whole"));
  assert.match(notices(host)[0], /model call failed \(odd\); attempt 1 of 3/);
  assert.deepEqual(host.requests[2].messages, host.requests[0].messages, "the half answer is not replayed");
});

test("a rate limit is waited for as long as the host says", async () => {
  const { turn } = await start({
    script: [{ refused: { tag: "rate-limited", val: 120 } }, { text: "ok" }],
    config: { settings: QUICK },
  });
  const began = Date.now();
  assert.equal(await turn("go"), "end-turn");
  assert.ok(Date.now() - began >= 115);
});

test("retries end", async () => {
  const script = Array.from({ length: 4 }, () => ({ refused: provider(503, "overloaded", true) }));
  await endsWith(script, "model", /503: overloaded/, 4);
});

const LONG = "lorem ipsum ".repeat(400);
/** A window that three long answers fill. */
const SMALL = { ...MODEL, contextWindow: 6_000, maxOutputTokens: 500 };

test("a nearly full context is compacted by pi before the next answer", async () => {
  const full = { input: 4_400, output: 200 };
  const { host, turn } = await start({
    models: [SMALL],
    script: [{ text: LONG }, { text: LONG, usage: full }, { text: "SUMMARY of it" }, { text: "on we go" }],
  });
  await turn("first");
  await turn("second");
  assert.match(notices(host).join("\n"), /compacting the history\nhistory compacted: \d+ to about \d+ tokens/);
  assert.match(host.requests[2].system, /summar/i);
  assert.equal(host.requests[2].tools.length, 0);
  await turn("third");
  const text = JSON.stringify(host.requests[3].messages);
  assert.match(text, /SUMMARY of it/);
  assert.doesNotMatch(JSON.stringify(host.requests[3].messages[0]), /first/);
  assert.ok(entries(host).some(({ type }) => type === "compaction"));
});

test("a context that the model refuses is compacted and the request repeated", async () => {
  const { host, turn } = await start({
    script: [
      { text: LONG.repeat(10) },
      { text: LONG.repeat(10) },
      { refused: { tag: "context-exceeded", val: 8_000 } },
      // pi cuts within a turn and summarises both sides of the cut.
      { text: "SUMMARY" },
      { text: "of the turn" },
      { text: "better" },
    ],
    config: { settings: '{"compaction":{"keepRecentTokens":1000}}' },
  });
  await turn("first");
  await turn("second");
  assert.equal(await turn("third"), "end-turn");
  assert.equal(said(host), "better");
  assert.match(notices(host).join("\n"), /history compacted/);
  const repeated = host.requests.at(-1).messages;
  assert.match(repeated[0].val[0].val, /SUMMARY/);
  assert.equal(repeated.at(-1).val[0].val, "third");
  assert.ok(JSON.stringify(repeated).length < JSON.stringify(host.requests[2].messages).length);
});

test("a small window leaves room for an answer as long as there is some", async () => {
  const { host, turn } = await start({
    models: [SMALL],
    script: [{ text: LONG, usage: { input: 3_000, output: 1_000 } }, { text: "ok", usage: { input: 4_300 } }],
  });
  await turn("first");
  await turn("second");
  assert.equal(host.requests[1].maxOutputTokens, SMALL.maxOutputTokens);
});

test("when compaction does not help, the turn ends with the reason", async () => {
  const refused = { tag: "context-exceeded", val: 8_000 };
  const { turn } = await start({ script: [{ refused }, { refused }, { refused }] });
  await assert.rejects(turn("too long"), (error) => {
    assert.equal(error.tag, "model");
    assert.match(error.val, /maximum context length is 8000 tokens/);
    return true;
  });
});
