// Checks values that leave the component as strictly as the component runtime does: there, a
// missing field, an unknown case or a cut character ends the instance.
import assert from "node:assert/strict";

const text = (value, at) => {
  assert.equal(typeof value, "string", at);
  assert.ok(value.isWellFormed?.() ?? !/[\uD800-\uDFFF]/.test(value.replace(/[\uD800-\uDBFF][\uDC00-\uDFFF]/g, "")), `${at}: not well-formed`);
};
const bool = (value, at) => assert.equal(typeof value, "boolean", at);
const count = (value, at) => assert.ok(Number.isInteger(value) && value >= 0, `${at}: ${value}`);
const number = (value, at) => assert.equal(typeof value, "number", at);
const bytes = (value, at) => assert.ok(ArrayBuffer.isView(value), at);
const option = (shape) => (value, at) => value === null || shape(value, at);
const list = (shape) => (value, at) => {
  assert.ok(Array.isArray(value), at);
  value.forEach((item, index) => shape(item, `${at}[${index}]`));
};
const oneOf = (...names) => (value, at) => assert.ok(names.includes(value), `${at}: ${value}`);
const record = (fields) => (value, at) => {
  for (const [name, shape] of Object.entries(fields)) {
    assert.ok(name in value, `${at}.${name} is missing`);
    shape(value[name], `${at}.${name}`);
  }
};
const variant = (cases) => (value, at) => {
  assert.ok(Object.hasOwn(cases, value?.tag), `${at}: no case ${value?.tag}`);
  cases[value.tag]?.(value.val, `${at}.${value.tag}`);
};
const json = (value, at) => {
  text(value, at);
  JSON.parse(value);
};

const part = variant({
  text,
  blob: record({ mime: text, data: bytes }),
  link: record({ uri: text, mime: option(text), title: option(text) }),
});

export const event = variant({
  message: part,
  thought: text,
  call: record({
    id: text,
    tool: text,
    kind: oneOf("read", "edit", "delete", "move", "search", "execute", "think", "fetch", "other"),
    title: text,
    input: json,
    locations: list(record({ path: text, line: option(count) })),
  }),
  "call-update": record({
    id: text,
    status: option(oneOf("pending", "in-progress", "completed", "failed", "denied")),
    content: option(list(variant({ part, diff: record({ path: text, old: option(text), new: text }) }))),
    output: option(json),
  }),
  "call-output": record({ id: text, text }),
  commands: list(record({ name: text, description: text, hint: option(text) })),
  notice: text,
});

export const request = record({
  model: option(text),
  system: option(text),
  messages: list(
    variant({
      user: list(part),
      assistant: list(
        variant({
          text,
          thinking: record({ text, signature: option(text) }),
          "tool-call": record({ id: text, name: text, arguments: json, signature: option(text) }),
        }),
      ),
      tool: record({ callId: text, content: list(part), failed: bool }),
    }),
  ),
  tools: list(record({ name: text, description: text, parameters: json })),
  toolChoice: variant({ auto: undefined, none: undefined, required: undefined, named: text }),
  maxOutputTokens: option(count),
  temperature: option(number),
  effort: option(oneOf("none", "minimal", "low", "medium", "high", "xhigh", "max")),
  outputSchema: option(json),
  stop: list(text),
  extra: option(json),
});

export const command = record({
  script: text,
  cwd: option(text),
  env: list(list(text)),
  timeoutMs: option(count),
  pty: option(record({})),
  callId: option(text),
});
