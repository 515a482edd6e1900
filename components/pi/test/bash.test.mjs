// pi's bash tool on the agent's machine.
import assert from "node:assert/strict";
import { test } from "node:test";
import { code, shellThat } from "./support/machine.mjs";
import { resultsIn, start, updates } from "./support/pi.mjs";

const bash = (input) => [{ calls: [["bash", input]] }, { text: "ok" }];

test("without a machine the model learns what still works", async () => {
  const { host, turn } = await start({ script: bash({ command: "ls" }) });
  assert.equal(await turn("go"), "end-turn");
  const [result] = resultsIn(host.requests.at(-1));
  assert.ok(result.failed);
  assert.match(result.text, /no machine attached: commands cannot run in this session; read, write, edit/);
});

test("output streams while the command runs, both streams in order, and the exit is told", async () => {
  const { host, turn } = await start({
    script: bash({ command: "make", timeout: 5 }),
    shell: shellThat([{ out: "one\n" }, { err: "two\n" }, { out: "thr" }, { out: "ee\n" }, code(2)]),
  });
  await turn("go");
  const output = host.events.filter(({ tag }) => tag === "call-output").map(({ val }) => val);
  assert.equal(output.map(({ text }) => text).join(""), "one\ntwo\nthree\n");
  assert.ok(output.length >= 4, "in pieces");
  assert.equal(output[0].id, "call_1");
  const [result] = resultsIn(host.requests.at(-1));
  assert.ok(result.failed);
  assert.equal(result.text, "one\ntwo\nthree\n\n\nCommand exited with code 2");
  const [command] = host.commands;
  assert.equal(command.timeoutMs, 5_000);
  assert.equal(command.callId, "call_1");
  assert.equal(command.cwd, null);
  assert.deepEqual(Object.fromEntries(command.env).PI_MODEL, "scripted");
  assert.ok(command.env.every(([name]) => name.startsWith("PI_")), "the guest's own environment stays here");
});

test("a time-out and a signal are told as pi tells them", async () => {
  const timedOut = await start({
    script: bash({ command: "sleep 9", timeout: 1 }),
    shell: shellThat([{ out: "zz" }, { exit: { tag: "timed-out" } }]),
  });
  await timedOut.turn("go");
  assert.match(resultsIn(timedOut.host.requests.at(-1))[0].text, /Command timed out after 1 seconds/);
  const killed = await start({
    script: bash({ command: "boom" }),
    shell: shellThat([{ exit: { tag: "signal", val: 9 } }]),
  });
  await killed.turn("go");
  assert.match(resultsIn(killed.host.requests.at(-1))[0].text, /exited with code 137/);
});

test("a refusal is shown as one", async () => {
  const { host, turn } = await start({
    script: bash({ command: "rm -rf /" }),
    shell: shellThat([{ error: { tag: "denied", val: "not this one, said the user" } }]),
  });
  await turn("go");
  assert.equal(updates(host)[0].status, "denied");
  assert.match(resultsIn(host.requests.at(-1))[0].text, /not this one, said the user/);
});

test("two commands of one answer run at the same time", async () => {
  let running = 0;
  let most = 0;
  const { host, turn } = await start({
    script: [{ calls: [["bash", { command: "a" }], ["bash", { command: "b" }]] }, { text: "ok" }],
    shell: (command, it) => {
      most = Math.max(most, (running += 1));
      return shellThat([{ out: `${command.script}\n` }, () => (running -= 1), code(0)])(command, it);
    },
  });
  await turn("go");
  assert.equal(most, 2);
  assert.deepEqual(resultsIn(host.requests.at(-1)).map(({ text }) => text.trim()), ["a", "b"]);
});

test("long output is shortened for the model and kept whole in a file that read opens", async () => {
  const line = "x".repeat(99);
  const { host, turn } = await start({
    script: [
      { calls: [["bash", { command: "yes" }]] },
      (request) => {
        const path = /Full output: (\S+?)\]/.exec(resultsIn(request)[0].text)[1];
        return { calls: [["read", { path, offset: 1, limit: 1 }]] };
      },
      { text: "ok" },
    ],
    shell: shellThat([{ out: "first\n" }, { out: `${line}\n`.repeat(3_000) }, code(0)]),
  });
  await turn("go");
  const [shortened, read] = resultsIn(host.requests.at(-1));
  assert.ok(shortened.text.length < 60_000);
  assert.match(read.text, /^first\n/);
});
