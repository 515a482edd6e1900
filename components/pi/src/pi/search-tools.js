// Stands in for pi's `utils/tools-manager.js`, which downloads ripgrep. pi's grep tool runs the
// name it gets here; the shim for `child_process` knows it and searches by itself.
import { RIPGREP } from "../search/ripgrep.js";

export const ensureTool = async (tool) => (tool === RIPGREP ? RIPGREP : undefined);
