// What the bundle takes from pi and what it leaves out.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { LEFT_OUT, bundle } from "../build/bundle.mjs";
import { notices, withNotices } from "../build/licenses.mjs";
import { VERSION } from "../src/pi/config.js";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const { imports, inputs, text } = await bundle();
const pi = (name, file) => join(ROOT, "node_modules/@earendil-works", name, file);

test("pi's loop, session, compaction, prompt and tools are pi's own files", () => {
  for (const [name, file] of [
    ["pi-agent-core", "agent-loop.js"],
    ["pi-coding-agent", "core/agent-session.js"],
    ["pi-coding-agent", "core/compaction/compaction.js"],
    ["pi-coding-agent", "core/session-manager.js"],
    ["pi-coding-agent", "core/skills.js"],
    ["pi-coding-agent", "core/system-prompt.js"],
    ["pi-coding-agent", "core/tools/bash.js"],
    ["pi-coding-agent", "core/tools/edit.js"],
    ["pi-coding-agent", "core/tools/grep.js"],
    ["pi-coding-agent", "core/tools/read.js"],
  ]) {
    assert.ok(inputs[`node_modules/@earendil-works/${name}/dist/${file}`]?.bytesInOutput > 0, file);
  }
});

test("what is left out exists in this version of pi, and the version is the installed one", () => {
  for (const [name, modules] of Object.entries(LEFT_OUT)) {
    for (const [file, standIn] of Object.entries(modules)) {
      assert.ok(existsSync(pi(name, `dist/${file}`)), file);
      assert.ok(existsSync(join(ROOT, "src/pi", standIn)), standIn);
    }
  }
  assert.equal(JSON.parse(readFileSync(pi("pi-coding-agent", "package.json"), "utf8")).version, VERSION);
});

test("the bundle loads nothing at run time that it does not contain", () => {
  assert.ok(imports.length > 5);
  for (const name of imports) assert.match(name, /^(xpressclaw|wasi):/);
  assert.ok(text.length < 1_000_000, `${text.length} characters: has a provider's client come back?`);
});

test("the licences are a section of their own", () => {
  const notice = notices(inputs);
  for (const name of ["pi-coding-agent 0.87.1: MIT", "typebox", "componentize-qjs"]) assert.ok(notice.includes(name));
  const header = Buffer.from([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0]);
  const component = withNotices(header, "x".repeat(300));
  assert.deepEqual(component.subarray(0, 8), header);
  assert.equal(component[8], 0);
  // 300 characters, a name of 20 with its length: 321 bytes, which is 0xc1 0x02.
  assert.deepEqual([...component.subarray(9, 12)], [0xc1, 0x02, 20]);
  assert.equal(component.length, 11 + 321);
});
