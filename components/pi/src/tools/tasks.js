// `task` of `xclaw` as tools: work items that the agent shares with its user.
import { Type } from "typebox";
import * as task from "xpressclaw:xclaw/task@0.1.0";
import { wellFormed } from "../wit.js";
import { date, verbTool } from "./verb.js";

const DEFAULT_TASKS = 20;
const MOST_TASKS = 100;
const STATES = ["open", "active", "blocked", "done", "failed", "cancelled"];
const status = Type.Union(STATES.map((name) => Type.Literal(name)));
const optional = (text) => (text === undefined ? null : wellFormed(text));
const show = (item) => ({ ...item, created: date(item.created), updated: date(item.updated) });

export const taskTools = [
  verbTool({
    name: "task_create",
    description: "Create a task that the user sees. Returns its id.",
    snippet: "Create a task that the user sees",
    parameters: Type.Object({
      title: Type.String({ minLength: 1, description: "One line, at most 256 bytes" }),
      detail: Type.Optional(Type.String()),
      parent: Type.Optional(Type.String({ description: "The id of the task that this one is a part of" })),
    }),
    verb: ({ title, detail, parent }) =>
      `created task ${task.create(wellFormed(title), wellFormed(detail ?? ""), parent ?? null)}`,
  }),
  verbTool({
    name: "task_update",
    description: "Change a task's status, title or detail. What is left out stays as it is.",
    snippet: "Change a task's status, title or detail",
    parameters: Type.Object({
      id: Type.String({ minLength: 1 }),
      status: Type.Optional(status),
      title: Type.Optional(Type.String({ minLength: 1 })),
      detail: Type.Optional(Type.String()),
    }),
    verb: (input) =>
      show(
        task.update(input.id, {
          title: optional(input.title),
          detail: optional(input.detail),
          status: input.status ?? null,
        }),
      ),
  }),
  verbTool({
    name: "task_list",
    description: "List tasks, newest first, of one status or of all.",
    snippet: "List tasks",
    parameters: Type.Object({
      status: Type.Optional(status),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MOST_TASKS, description: "Default 20" })),
    }),
    verb: (input) => task.listTasks(input.status ?? null, input.limit ?? DEFAULT_TASKS).map(show),
  }),
];
