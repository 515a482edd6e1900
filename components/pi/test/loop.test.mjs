// pi's loop and its file tools on a workspace.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { resultsIn, said, start, updates } from "./support/pi.mjs";

test("a plain answer is streamed and ends the turn", async () => {
  const { host, turn } = await start({ script: [{ thinking: "hm, a greeting", text: "Hello, this is a longer answer." }] });
  assert.equal(await turn("Say hello"), "end-turn");
  assert.equal(said(host), "Hello, this is a longer answer.");
  assert.ok(host.events.filter(({ tag }) => tag === "message").length > 2, "the text came in pieces");
  assert.equal(host.events.filter(({ tag }) => tag === "thought").map(({ val }) => val).join(""), "hm, a greeting");
  const [request] = host.requests;
  assert.match(request.system, /operating inside pi/);
  assert.deepEqual(request.messages, [{ tag: "user", val: [{ tag: "text", val: "Say hello" }] }]);
  assert.deepEqual(
    request.tools.map(({ name }) => name).filter((name) => !/^(memory|task|budget|ask)_/.test(name)).sort(),
    ["bash", "edit", "find", "grep", "ls", "read", "write"],
  );
});

test("write, read, edit and grep work on the workspace", async () => {
  const { host, turn } = await start({
    script: [
      { calls: [["write", { path: "src/hello.py", content: "print('hello')\nprint('bye')\n" }]] },
      { calls: [["read", { path: "src/hello.py" }]] },
      { calls: [["edit", { path: "src/hello.py", edits: [{ oldText: "'hello'", newText: "'grüße 🦀'" }] }]] },
      { calls: [["grep", { pattern: "gr.ße", path: "." }], ["find", { pattern: "*.py" }], ["ls", { path: "src" }]] },
      { text: "done" },
    ],
  });
  assert.equal(await turn("Write a greeting"), "end-turn");
  assert.equal(readFileSync(join(host.workspace, "src/hello.py"), "utf8"), "print('grüße 🦀')\nprint('bye')\n");
  const results = resultsIn(host.requests.at(-1));
  assert.deepEqual(results.map(({ failed }) => failed), [false, false, false, false, false, false]);
  assert.match(results[1].text, /print\('hello'\)/);
  assert.equal(results[3].text, "src/hello.py:1: print('grüße 🦀')");
  assert.equal(results[4].text, "src/hello.py");
  assert.equal(results[5].text, "hello.py");

  const [write, , edit] = updates(host);
  assert.deepEqual(write.content.at(-1), {
    tag: "diff",
    val: { path: "/workspace/src/hello.py", old: null, new: "print('hello')\nprint('bye')\n" },
  });
  assert.equal(edit.content.at(-1).val.old, "print('hello')\nprint('bye')\n");
  const calls = host.events.filter(({ tag }) => tag === "call").map(({ val }) => val);
  assert.deepEqual(calls.map(({ kind }) => kind), ["edit", "read", "edit", "search", "search", "read"]);
  assert.equal(calls[0].title, "write src/hello.py");
  assert.deepEqual(calls[1].locations, [{ path: "/workspace/src/hello.py", line: null }]);
});

test("a failing tool is shown to the model and to the user", async () => {
  const { host, turn } = await start({
    script: [
      { calls: [["read", { path: "missing.txt" }], ["nonsense", {}], ["edit", { path: "../../etc/passwd", edits: [] }]] },
      { text: "sorry" },
    ],
  });
  assert.equal(await turn("go"), "end-turn");
  const results = resultsIn(host.requests.at(-1));
  assert.deepEqual(results.map(({ failed }) => failed), [true, true, true]);
  assert.match(results[0].text, /ENOENT/);
  assert.match(results[1].text, /nonsense not found/);
  assert.deepEqual(updates(host).map(({ status }) => status), ["failed", "failed", "failed"]);
});

test("the search respects ignore files, globs, limits and literals", async () => {
  const { host, turn } = await start({
    script: [
      {
        calls: [
          ["grep", { pattern: "NEEDLE", ignoreCase: true }],
          ["grep", { pattern: "needle", glob: "*.md" }],
          ["grep", { pattern: "a.c(", literal: true }],
          ["grep", { pattern: "needle", limit: 1 }],
          ["grep", { pattern: "(" }],
          ["find", { pattern: "**/*.txt" }],
          ["grep", { pattern: "needle", path: "a.txt", context: 1 }],
        ],
      },
      { text: "ok" },
    ],
  });
  const write = (path, content) => writeFileSync(join(host.workspace, path), content);
  for (const path of ["build", ".git", "deep/er"]) mkdirSync(join(host.workspace, path), { recursive: true });
  write(".gitignore", "build/\n*.log\n!keep.log\n");
  write("a.txt", "one\nneedle in a\nthree\n");
  write("b.md", "needle in b\r\n");
  write("deep/er/c.txt", "xx a.c( yy\n");
  write("build/d.txt", "needle\n");
  write("e.log", "needle\n");
  write("keep.log", "kept Needle\n");
  write(".git/config", "needle\n");
  write("binary.bin", "needle\0");
  await turn("search");
  const [all, glob, literal, limit, broken, find, context] = resultsIn(host.requests.at(-1));
  assert.equal(all.text, "a.txt:2: needle in a\nb.md:1: needle in b\nkeep.log:1: kept Needle");
  assert.equal(glob.text, "b.md:1: needle in b");
  assert.equal(literal.text, "deep/er/c.txt:1: xx a.c( yy");
  assert.match(limit.text, /^a\.txt:2: needle in a\n\n\[1 matches limit reached/);
  assert.ok(broken.failed);
  assert.match(broken.text, /regex parse error/);
  assert.equal(find.text, "a.txt\ndeep/er/c.txt");
  assert.equal(context.text, "a.txt-1- one\na.txt:2: needle in a\na.txt-3- three");
});

test("an endless loop of links does not trap the search", async () => {
  const { host, turn } = await start({
    script: [{ calls: [["grep", { pattern: "x" }], ["find", { pattern: "*" }]] }, { text: "ok" }],
  });
  const { symlinkSync } = await import("node:fs");
  mkdirSync(join(host.workspace, "d"));
  symlinkSync("..", join(host.workspace, "d/up"));
  await turn("search");
  const [grep, find] = resultsIn(host.requests.at(-1));
  assert.equal(grep.text, "No matches found");
  assert.equal(find.text, "d/\nd/up");
});
