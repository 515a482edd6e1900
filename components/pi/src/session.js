// Puts pi's own agent session together: its agent loop, session file, system prompt, tools and
// compaction. This is what pi's SDK does in `createAgentSession`, with the host in place of
// providers, keys, extensions and a settings file.
import { Agent } from "@earendil-works/pi-agent-core";
import { clampThinkingLevel } from "@earendil-works/pi-ai";
import { AgentSession } from "pi:coding-agent/core/agent-session.js";
import { convertToLlm } from "pi:coding-agent/core/messages.js";
import { SettingsManager } from "pi:coding-agent/core/settings-manager.js";
import { streamChat } from "./llm/stream.js";
import { withoutImages } from "./llm/images.js";
import { openSession } from "./history.js";
import { createResources } from "./resources.js";

const THINKING_LEVEL = "medium";
/** All of pi's tools but PowerShell: the machine is a Linux system. */
const TOOLS = ["read", "bash", "edit", "write", "grep", "find", "ls"];
const NOT_OFFERED = ["powershell"];

/** What pi's session asks its model runtime: the host keeps keys, so every model is ready. */
function modelRuntime(models) {
  return {
    checkAuth: async () => ({}),
    getAuth: async () => ({ auth: {} }),
    getAvailableSnapshot: () => models(),
    getModel: (provider, id) => models().find((model) => model.provider === provider && model.id === id),
    hasConfiguredAuth: () => true,
    isUsingOAuth: () => false,
  };
}

/**
 * `model` is the agent's model, `models()` lists all, `tools` are the definitions that replace or
 * extend pi's. Writes nothing but the skill; the session file appears with the first answer.
 */
export function createSession({ config, settings, model, models, tools }) {
  const settingsManager = SettingsManager.inMemory(settings);
  const sessionManager = openSession(config, model);
  const existing = sessionManager.buildSessionContext();
  const wanted = settingsManager.getDefaultThinkingLevel() ?? THINKING_LEVEL;
  const thinkingLevel = clampThinkingLevel(model, wanted);
  const agent = new Agent({
    initialState: { systemPrompt: "", model, thinkingLevel, tools: [], messages: existing.messages },
    convertToLlm: (messages) => {
      const converted = convertToLlm(messages);
      return settingsManager.getBlockImages() ? withoutImages(converted) : converted;
    },
    // Not `streamChat` itself: pi compares this function with its default to see whether it has to
    // look for a key.
    streamFn: (...request) => streamChat(...request),
    sessionId: sessionManager.getSessionId(),
    steeringMode: settingsManager.getSteeringMode(),
    followUpMode: settingsManager.getFollowUpMode(),
  });
  if (existing.messages.length === 0) {
    sessionManager.appendModelChange(model.provider, model.id);
    sessionManager.appendThinkingLevelChange(thinkingLevel);
  }
  return new AgentSession({
    agent,
    sessionManager,
    settingsManager,
    cwd: config.workspace,
    resourceLoader: createResources(config),
    customTools: tools,
    modelRuntime: modelRuntime(models),
    initialActiveToolNames: settingsManager.getDefaultTools() ?? TOOLS,
    excludedToolNames: NOT_OFFERED,
  });
}

/**
 * Gives `session` other tools than it began with; pi tells the model with the next prompt. pi has
 * no public way for tools that come from outside its extensions.
 */
export function replaceTools(session, tools) {
  session._customTools = tools;
  session._refreshToolRegistry({
    activeToolNames: session.settingsManager.getDefaultTools() ?? TOOLS,
    includeAllExtensionTools: true,
  });
}
