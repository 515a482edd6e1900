// All tools that this component gives to pi: pi's own with operations on the host, the verbs, and
// the host's tools. pi adds those that need no change (`read`, `ls`, `grep`) by itself.
import { listTools } from "xpressclaw:tools/tools@0.1.0";
import { bashTool } from "./bash.js";
import { fileTools } from "./files.js";
import { findTool } from "./find.js";
import { hostTools, otherTools } from "./host.js";
import { memoryTools } from "./memory.js";
import { taskTools } from "./tasks.js";

const UNCHANGED = ["read", "ls", "grep"];

/** The names that the host offers tools under, with what the model is told of each. */
export const hostToolsKey = () => JSON.stringify(listTools());

export function allTools(cwd, settings) {
  const own = [
    bashTool(cwd, settings),
    ...fileTools(cwd),
    findTool(cwd),
    ...memoryTools,
    ...taskTools,
    ...otherTools,
  ];
  const taken = new Set([...UNCHANGED, ...own.map((tool) => tool.name)]);
  return [...own, ...hostTools(taken)];
}
