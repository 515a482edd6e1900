// Stands in for the modules of pi that have no place in a sandbox without terminal, package
// installer and browser. pi's agent session names these functions for features that nothing here
// can start; whoever reaches one learns so.

function absent(what) {
  return () => {
    throw new Error(`${what} is not part of pi as an xpressclaw harness`);
  };
}

// core/bug-report.js
export const generateBugReportSummary = absent("the bug report");

// core/export-html
export const exportSessionToHtml = absent("HTML export");
export const createToolHtmlRenderer = absent("HTML export");

// core/extensions/loader.js, core/event-bus.js, core/package-manager.js
export const clearExtensionCache = () => {};
export const createExtensionRuntime = absent("the extension loader");
export const loadExtensionFromFactory = absent("the extension loader");
export const loadExtensionsCached = absent("the extension loader");
export const createEventBus = absent("the extension loader");
export class DefaultPackageManager {
  constructor() {
    absent("the package manager")();
  }
}

/** core/footer-data-provider.js: finding a linked Git work tree; none is mounted here. */
export const findGitPaths = () => null;

// utils/child-process.js
export const spawnProcessSync = absent("a local process");
export const spawnProcess = absent("a local process");
export const waitForChildProcess = absent("a local process");

/** `chalk` and `proper-lockfile`, both imported as defaults; colours mean nothing here. */
const plain = (text) => String(text);
export default {
  yellow: plain,
  red: plain,
  dim: plain,
  lockSync: absent("the settings file's lock"),
};
