// A host for one component instance: every interface that the component imports, in memory, with
// the workspace and `/state` in a temporary directory.
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { directory } from "./files.mjs";
import { Handles, failure } from "./handles.mjs";
import { MODEL, scriptedModel } from "./model.mjs";
import * as shapes from "./shapes.mjs";

const roots = [];
process.on("exit", () => roots.forEach((root) => rmSync(root, { recursive: true, force: true })));

/** A directory that is gone when the tests' process ends. */
export function temporaryRoot() {
  const root = mkdtempSync(join(tmpdir(), "pi-test-"));
  roots.push(root);
  return root;
}

export class Host {
  handles = new Handles();
  events = [];
  requests = [];
  dropped = [];
  log = [];
  commands = [];
  held = false;
  cancelled = false;
  inputs = [];
  /** Run one after another when the component waits and nothing is ready. */
  onIdle = [];
  notes = [];
  tasks = [];

  /** `state` continues an earlier session; `shell` is the machine's `spawn`. */
  constructor({ script = [], root, models = [MODEL], shell, tools = [], ask, budget = [] } = {}) {
    this.root = root ?? temporaryRoot();
    this.workspace = join(this.root, "workspace");
    this.state = join(this.root, "state");
    for (const path of [this.workspace, this.state]) mkdirSync(path, { recursive: true });
    Object.assign(this, { script, models, shell, tools, ask, budget });
    this.complete = scriptedModel(this, script);
  }

  send(tag, ...parts) {
    this.inputs.push(tag === "cancel" ? { tag } : { tag, val: parts.map((val) => ({ tag: "text", val })) });
  }

  /** Lets a held answer go on. */
  release() {
    this.held = false;
  }

  wait(waitables, timeout) {
    for (;;) {
      const ready = waitables.flatMap((waitable, index) => (waitable.ready() ? [index] : []));
      // A cancelled turn does not block until the component has taken the cancel.
      if (ready.length > 0 || this.inputs[0]?.tag === "cancel") return ready;
      const action = this.onIdle.shift();
      if (action !== undefined) action();
      else if (timeout !== null) {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, timeout);
        return [];
      } else throw new Error("the component waits for something that never happens");
    }
  }

  interfaces() {
    const { handles } = this;
    return {
      "xpressclaw:base/wait": { wait: (...args) => this.wait(...args) },
      "xpressclaw:harness/turn": {
        emit: (event) => {
          shapes.event(event, "event");
          this.events.push(structuredClone(event));
        },
        takeInput: () => {
          if (this.cancelled) return { tag: "cancel" };
          const input = this.inputs.shift() ?? null;
          if (input?.tag === "cancel") this.cancelled = true;
          return input;
        },
        inputReady: () => handles.waitable(() => this.cancelled || this.inputs.length > 0),
      },
      "xpressclaw:llm/chat": { complete: this.complete },
      "xpressclaw:llm/models": { listModels: () => this.models },
      "xpressclaw:machine/shell": {
        spawn: (command) => {
          shapes.command(command, "command");
          this.commands.push(command);
          if (this.shell === undefined) throw failure({ tag: "no-machine" });
          return this.shell(command, this);
        },
      },
      "xpressclaw:tools/tools": {
        listTools: () => this.tools.map(({ name, description, parameters }) => ({ name, description, parameters })),
        call: (name, args, callId) => this.tools.find((tool) => tool.name === name).call(args, callId, this),
      },
      "xpressclaw:xclaw/ask": {
        ask: (question, choices) => {
          if (this.ask === undefined) throw failure({ tag: "denied", val: "nobody can answer" });
          return this.ask(question, choices);
        },
      },
      "xpressclaw:xclaw/budget": { status: () => this.budget },
      "xpressclaw:xclaw/log": { write: (level, message) => this.log.push(`${level}: ${message}`) },
      "xpressclaw:xclaw/memory": this.#memory(),
      "xpressclaw:xclaw/task": this.#task(),
      "wasi:filesystem/preopens": {
        getDirectories: () => [
          [directory(handles, this.workspace), "/workspace"],
          [directory(handles, this.state), "/state"],
        ],
      },
      "wasi:random/random": { getRandomBytes: (length) => new Uint8Array(randomBytes(length)) },
    };
  }

  #memory() {
    const find = (id) => this.notes.findIndex((note) => note.id === id);
    return {
      add: (text, tags) => {
        const note = { id: `note_${this.notes.length + 1}`, text, tags, created: 1_700_000_000_000 };
        this.notes.unshift(note);
        return note.id;
      },
      search: (query, limit) => {
        const hits = this.notes.filter((note) => query.split(" ").some((word) => note.text.includes(word)));
        return hits.slice(0, limit).map((note) => ({ note, score: 1 }));
      },
      listNotes: (before, limit) => {
        const start = before === null ? 0 : find(before) + 1;
        return this.notes.slice(start, start + limit);
      },
      delete: (id) => {
        if (find(id) === -1) throw failure({ tag: "not-found", val: `no note ${id}` });
        this.notes.splice(find(id), 1);
      },
    };
  }

  #task() {
    const at = { created: 1_700_000_000_000, updated: 1_700_000_000_000 };
    return {
      create: (title, detail, parent) => {
        this.tasks.unshift({ id: `task_${this.tasks.length + 1}`, title, detail, status: "open", parent, ...at });
        return this.tasks[0].id;
      },
      update: (id, change) => {
        const task = this.tasks.find((item) => item.id === id);
        if (task === undefined) throw failure({ tag: "not-found", val: `no task ${id}` });
        for (const [name, value] of Object.entries(change)) if (value !== null) task[name] = value;
        return task;
      },
      listTasks: (status, limit) =>
        this.tasks.filter((task) => status === null || task.status === status).slice(0, limit),
    };
  }
}
