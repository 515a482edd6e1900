// What happens around the loop while a turn runs: steering, follow-ups, cancellation, commands.
import assert from "node:assert/strict";
import { test } from "node:test";
import { code, shellThat } from "./support/machine.mjs";
import { resultsIn, said, start, updates } from "./support/pi.mjs";

const userTexts = (request) =>
  request.messages.filter(({ tag }) => tag === "user").map(({ val }) => val.map((part) => part.val).join(""));

test("a steer during an answer is seen before the model's next step", async () => {
  const { host, turn } = await start({
    script: [{ text: "working", calls: [["ls", {}]], hold: true }, { text: "as you wish" }],
  });
  host.onIdle.push(
    () => host.send("steer", "be brief"),
    () => host.release(),
  );
  assert.equal(await turn("go"), "end-turn");
  assert.deepEqual(userTexts(host.requests[1]), ["go", "be brief"]);
});

test("a steer that arrives while tools run is not a step late", async () => {
  const shell = shellThat([{ out: "1\n" }, code(0)]);
  const { host, turn } = await start({
    script: [{ calls: [["bash", { command: "x" }], ["ls", {}]] }, { text: "ok" }],
    shell: (command, it) => {
      it.send("steer", "hurry");
      return shell(command, it);
    },
  });
  await turn("go");
  assert.deepEqual(userTexts(host.requests[1]), ["go", "hurry"]);
});

test("a follow-up waits for the end of the work", async () => {
  const { host, turn } = await start({
    script: [{ calls: [["ls", {}]] }, { text: "first" }, { text: "second" }],
  });
  host.send("follow-up", "and then?");
  assert.equal(await turn("go"), "end-turn");
  assert.deepEqual(userTexts(host.requests[1]), ["go"]);
  assert.deepEqual(userTexts(host.requests[2]), ["go", "and then?"]);
  assert.equal(said(host), "firstsecond");
});

test("cancel during an answer ends the turn and drops the completion; the next turn works", async () => {
  const { host, turn } = await start({ script: [{ text: "never seen", hold: true }, { text: "fresh" }] });
  host.onIdle.push(() => host.send("cancel"));
  assert.equal(await turn("go"), "cancelled");
  assert.equal(said(host), "");
  assert.deepEqual(host.dropped, ["completion"]);
  Object.assign(host, { cancelled: false, held: false });
  assert.equal(await turn("again"), "end-turn");
  assert.equal(said(host), "fresh");
});

test("what was typed before a cancel is not lost", async () => {
  const { host, turn } = await start({ script: [{ text: "x", hold: true }, { text: "both" }] });
  host.onIdle.push(
    () => host.send("steer", "mind the gap"),
    () => host.send("cancel"),
  );
  assert.equal(await turn("go"), "cancelled");
  Object.assign(host, { cancelled: false, held: false });
  assert.equal(await turn("again"), "end-turn");
  assert.deepEqual(userTexts(host.requests.at(-1)), ["go", "again", "mind the gap"]);
});

test("cancel during a command drops the process and tells the model on the next turn", async () => {
  const { host, turn } = await start({
    script: [{ calls: [["bash", { command: "sleep 100" }]] }, { text: "fresh" }],
    shell: shellThat([{ out: "started\n" }, () => host_().send("cancel")]),
  });
  function host_() {
    return host;
  }
  assert.equal(await turn("go"), "cancelled");
  assert.ok(host.dropped.includes("process sleep 100"));
  assert.match(updates(host)[0].content[0].val.val, /started[\s\S]*Command aborted/);
  host.cancelled = false;
  assert.equal(await turn("again"), "end-turn");
  assert.match(resultsIn(host.requests.at(-1))[0].text, /Command aborted/);
});

test("cancel during the pause before a retry does not wait for it", async () => {
  const overloaded = { tag: "provider-failed", val: { status: 503, message: "overloaded", retriable: true } };
  const { host, turn } = await start({
    script: [{ refused: overloaded }],
    config: { settings: '{"retry":{"baseDelayMs":60000}}' },
  });
  host.onIdle.push(() => host.send("cancel"));
  const began = Date.now();
  assert.equal(await turn("go"), "cancelled");
  assert.ok(Date.now() - began < 5_000);
});

test("skills and compaction are commands", async () => {
  const { host, turn } = await start({ script: [{ text: "hello" }, { text: "a summary" }] });
  await turn("/skill:xclaw note this");
  const [commands] = host.events.filter(({ tag }) => tag === "commands");
  assert.deepEqual(commands.val.map(({ name }) => name), ["compact", "skill:xclaw"]);
  assert.match(userTexts(host.requests[0])[0], /<skill name="xclaw"[\s\S]*memory_add[\s\S]*note this/);
  assert.equal(await turn("/compact"), "end-turn");
  const notices = host.events.filter(({ tag }) => tag === "notice").map(({ val }) => val);
  assert.equal(notices[0], "compacting the history");
});
