// The commands that a user may type: pi's `/compact`, its skills (`/skill:name`) and its prompt
// templates. The last two are expanded by pi itself.
import { emit } from "xpressclaw:harness/turn@0.1.0";
import { wellFormed } from "./wit.js";

const COMPACT = /^\/compact(?:\s+([\s\S]*))?$/;

export function announceCommands(session) {
  const { skills } = session.resourceLoader.getSkills();
  const commands = [
    { name: "compact", description: "Summarise the history", hint: "what to keep" },
    ...skills.map((skill) => ({ name: `skill:${skill.name}`, description: skill.description, hint: "request" })),
    ...session.promptTemplates.map((template) => ({
      name: template.name,
      description: template.description ?? "",
      hint: template.argumentHint ?? "arguments",
    })),
  ];
  emit({
    tag: "commands",
    val: commands.map(({ name, description, hint }) => ({
      name: wellFormed(name),
      description: wellFormed(description),
      hint: wellFormed(hint),
    })),
  });
}

/** Runs `text` if it is a command that pi's session does not know. Returns whether it was. */
export async function runCommand(session, text) {
  const match = COMPACT.exec(text.trim());
  if (match === null) return false;
  try {
    await session.compact(match[1]?.trim() || undefined);
  } catch {
    // pi has reported the reason in its event, which is shown as a notice.
  }
  return true;
}
