// pi's session file: where it lies, how it is found again, and how past turns that pi did not see
// get into it.
import { SessionManager } from "pi:coding-agent/core/session-manager.js";
import { findMostRecentSession } from "pi:coding-agent/core/session-manager.js";
import { API } from "./llm/models.js";
import { getSessionsDir } from "./pi/config.js";
import { fromParts, toContent } from "./wit.js";

/** What pi allows as a session id; it becomes part of a file name. */
const ALLOWED = /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/;

/**
 * The session of `config`: the file of an earlier turn, or a new one. `/state` belongs to the
 * session, so a file under another id is this session's too: a forked agent continues it.
 */
export function openSession(config, model) {
  const directory = getSessionsDir();
  const id = ALLOWED.test(config.session) ? config.session : undefined;
  const known =
    (id === undefined ? undefined : SessionManager.findById(config.workspace, id, directory)) ??
    (config.resumed ? findMostRecentSession(directory) : undefined);
  if (known) return SessionManager.open(known, directory, config.workspace);
  const session = SessionManager.create(config.workspace, directory, { id });
  for (const message of config.history) session.appendMessage(fromHistory(message, model));
  return session;
}

function fromHistory({ role, parts }, model) {
  const timestamp = Date.now();
  if (role === "user") return { role, content: toContent(parts), timestamp };
  const nothing = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
  return {
    role,
    content: [{ type: "text", text: fromParts(parts).text }],
    api: API,
    provider: model.provider,
    model: model.id,
    usage: { ...nothing, totalTokens: 0, cost: { ...nothing, total: 0 } },
    stopReason: "stop",
    timestamp,
  };
}
