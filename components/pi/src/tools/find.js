// pi's `find` tool on our own walk through the workspace, through pi's hook for other file systems.
import { createFindToolDefinition } from "pi:coding-agent/core/tools/find.js";
import { minimatch } from "minimatch";
import { existsSync } from "../shims/fs.js";
import { walk } from "../search/walk.js";

/** As fd: a pattern with a slash is matched against the path, one without against the name. */
function matcher(pattern) {
  if (!pattern.includes("/")) return ({ name }) => minimatch(name, pattern, { dot: true });
  const anywhere = pattern.startsWith("/") || pattern.startsWith("**/") ? pattern : `**/${pattern}`;
  return ({ path }) => minimatch(path, anywhere, { dot: true });
}

export function findTool(cwd) {
  const operations = {
    exists: async (path) => existsSync(path),
    glob: async (pattern, root, { limit }) => {
      const matches = matcher(pattern);
      const found = [];
      for (const entry of walk(root)) {
        if (!matches(entry)) continue;
        found.push(entry.directory ? `${entry.path}/` : entry.path);
        if (found.length >= limit) break;
      }
      return found;
    },
  };
  return createFindToolDefinition(cwd, { operations });
}
