// Stands in for pi's `core/extensions/index.js`: the runner that pi's agent session is built
// around, without the loader for TypeScript extensions.
export { ExtensionRunner } from "pi:coding-agent/core/extensions/runner.js";
export { wrapRegisteredTool, wrapRegisteredTools } from "pi:coding-agent/core/extensions/wrapper.js";
