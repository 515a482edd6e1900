// Stands in for pi's `config.js`, which finds out where pi is installed. Here everything pi writes
// lies below one folder of the private, checkpointed `/state`.

export const APP_NAME = "pi";
export const APP_TITLE = "π";
export const PACKAGE_NAME = "@earendil-works/pi-coding-agent";
export const CONFIG_DIR_NAME = ".pi";
/** Kept equal to the package's version by a test. */
export const VERSION = "0.87.1";
export const ENV_AGENT_DIR = "PI_CODING_AGENT_DIR";
export const ENV_SESSION_DIR = "PI_CODING_AGENT_SESSION_DIR";
export const isBunBinary = false;
export const isBunRuntime = false;
export const isBundledNode = false;

const AGENT_DIR = "/state/pi";
// The documentation is not shipped in the component; this is where a reader finds it.
const DOCUMENTATION = "https://github.com/earendil-works/pi/tree/main/packages/coding-agent";

export const getAgentDir = () => AGENT_DIR;
export const getSessionsDir = () => `${AGENT_DIR}/sessions`;
export const getBinDir = () => `${AGENT_DIR}/bin`;
export const getPromptsDir = () => `${AGENT_DIR}/prompts`;
export const getReadmePath = () => `${DOCUMENTATION}/README.md`;
export const getDocsPath = () => `${DOCUMENTATION}/docs`;
export const getExamplesPath = () => `${DOCUMENTATION}/examples`;
