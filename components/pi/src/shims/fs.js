// Node's `fs`, on wasi:filesystem: the workspace and the private `/state`.
//
// The component's calls block, so the synchronous form is the real one and `fs/promises` wraps it.
import * as files from "./fs/files.js";
import * as streams from "./fs/streams.js";
import * as tree from "./fs/tree.js";

export * from "./fs/files.js";
export * from "./fs/streams.js";
export * from "./fs/tree.js";
export const constants = { F_OK: 0, R_OK: 4, W_OK: 2, X_OK: 1 };
export default { ...files, ...streams, ...tree, constants };
