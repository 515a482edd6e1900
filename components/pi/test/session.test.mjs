// pi's sessions: resuming from `/state`, seeding from history, context files, settings.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryRoot } from "./support/host.mjs";
import { entries } from "./support/session-file.mjs";
import { continueOn, start } from "./support/pi.mjs";

const texts = (request) =>
  request.messages.map(({ tag, val }) => `${tag}: ${(val.content ?? val).map((part) => part.val).join("")}`);

test("a second process continues the session with its whole history", async () => {
  const first = await start({ script: [{ calls: [["ls", {}]] }, { text: "noted" }, { text: "it was 42" }] });
  await first.turn("remember 42");
  const second = await continueOn(first.host, { resumed: true });
  assert.equal(await second.turn("what was it?"), "end-turn");
  assert.deepEqual(texts(first.host.requests.at(-1)), [
    "user: remember 42",
    "assistant: [object Object]",
    "tool: (empty directory)",
    "assistant: noted",
    "user: what was it?",
  ]);
  const users = entries(first.host).filter((entry) => entry.message?.role === "user");
  assert.equal(users.length, 2, "one file holds both turns");
});

test("a session whose id pi would refuse, or that was forked, is found again", async () => {
  const first = await start({ script: [{ text: "one" }, { text: "two" }], config: { session: "über/../x" } });
  await first.turn("a");
  const second = await continueOn(first.host, { session: "another", resumed: true });
  await second.turn("b");
  assert.deepEqual(texts(first.host.requests.at(-1)), ["user: a", "assistant: one", "user: b"]);
});

test("history seeds a session that pi has not seen", async () => {
  const text = (val) => [{ tag: "text", val }];
  const { host, turn } = await start({
    script: [{ text: "ok" }],
    config: { history: [{ role: "user", parts: text("q") }, { role: "assistant", parts: text("a") }] },
  });
  await turn("next");
  assert.deepEqual(texts(host.requests[0]), ["user: q", "assistant: a", "user: next"]);
});

test("context files, project skills and prompt templates are found as pi finds them", async () => {
  const root = temporaryRoot();
  mkdirSync(join(root, "workspace/.pi/skills/tea"), { recursive: true });
  mkdirSync(join(root, "workspace/.pi/prompts"), { recursive: true });
  writeFileSync(join(root, "workspace/AGENTS.md"), "Always answer in verse.");
  writeFileSync(join(root, "workspace/.pi/skills/tea/SKILL.md"), "---\nname: tea\ndescription: Makes tea\n---\nBoil.");
  writeFileSync(join(root, "workspace/.pi/prompts/fix.md"), "---\ndescription: Fix it\n---\nPlease fix $1 now");
  const { host, turn } = await start({ root, script: [{ text: "ok" }] });
  await turn("/fix main.c");
  assert.match(host.requests[0].system, /<project_instructions path="\/workspace\/AGENTS.md">\nAlways answer in verse\./);
  assert.match(host.requests[0].system, /<description>Makes tea<\/description>/);
  assert.deepEqual(texts(host.requests[0]), ["user: Please fix main.c now"]);
});

test("settings are checked and heeded", async () => {
  const refused = async (settings, message) =>
    assert.rejects(start({ config: { settings } }), (error) => {
      assert.equal(error.tag, "invalid");
      assert.match(error.val, message);
      return true;
    });
  await refused('{"theme":"dark"}', /unknown setting theme for pi: use one of compaction/);
  await refused('{"compaction":{"on":true}}', /unknown setting compaction\.on/);
  await refused('{"retry":{"maxRetries":-1}}', /retry\.maxRetries must be a whole number/);
  await refused("[]", /must be a JSON object/);
  await refused("{", /settings must be a JSON object/);
  await refused('{"toString":1}', /unknown setting toString/);
  const { host, turn } = await start({ script: [{ text: "ok" }], config: { settings: '{"defaultTools":["read"]}' } });
  await turn("hi");
  const names = host.requests[0].tools.map(({ name }) => name);
  assert.ok(names.includes("read") && !names.includes("grep"));
});

test("an agent without a model is told so", async () => {
  await assert.rejects(start({ models: [] }), { tag: "invalid" });
});
