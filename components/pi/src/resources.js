// What pi's session reads besides the conversation: context files (AGENTS.md, CLAUDE.md), skills,
// prompt templates and the agent's role. The finding and parsing is pi's.
import { loadPromptTemplates } from "pi:coding-agent/core/prompt-templates.js";
import { loadProjectContextFiles } from "pi:coding-agent/core/resource-loader.js";
import { loadSkills } from "pi:coding-agent/core/skills.js";
import { getAgentDir } from "./pi/config.js";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "./shims/fs.js";
import skill from "./skill/SKILL.md";

const SKILL_DIR = `${getAgentDir()}/skills/xclaw`;
const SKILL_FILE = `${SKILL_DIR}/SKILL.md`;

/** pi reads skills from files: the component's own is written once, and again when it changed. */
function installSkill() {
  if (existsSync(SKILL_FILE) && readFileSync(SKILL_FILE, "utf8") === skill) return;
  mkdirSync(SKILL_DIR, { recursive: true });
  writeFileSync(SKILL_FILE, skill);
}

/** No extension is loaded; pi's runner wants their shared state all the same. */
function noExtensions() {
  return {
    extensions: [],
    errors: [],
    runtime: {
      assertActive: () => {},
      flagValues: new Map(),
      invalidate: () => {},
      pendingNativeProviderRegistrations: [],
      pendingProviderRegistrations: [],
    },
  };
}

/** pi's resource loader for the session of `config`. */
export function createResources(config) {
  installSkill();
  const places = { cwd: config.workspace, agentDir: getAgentDir(), includeDefaults: true };
  const extensions = noExtensions();
  return {
    extendResources: () => {},
    getAgentsFiles: () => ({ agentsFiles: loadProjectContextFiles(places) }),
    getAppendSystemPrompt: () => (config.role ? [config.role] : []),
    getExtensions: () => extensions,
    getPrompts: () => {
      const { templates, diagnostics } = loadPromptTemplates({ ...places, promptPaths: [] });
      return { prompts: templates, diagnostics };
    },
    getSkills: () => loadSkills({ ...places, skillPaths: [] }),
    getSystemPrompt: () => undefined,
    getThemes: () => ({ themes: [], diagnostics: [] }),
    reload: async () => {},
  };
}
