// What a tool call leaves for its report: the file as it was and became, or that it was refused.
// Tools write it under the model's id for the call; `events.js` takes it away with the result.

const notes = new Map();

function note(id) {
  let found = notes.get(id);
  if (found === undefined) notes.set(id, (found = {}));
  return found;
}

/** The call was refused by policy or by the user. */
export function noteDenied(id) {
  note(id).denied = true;
}

/** The call changed `path`; `old` is `null` when the file is new. */
export function noteChange(id, path, old, now) {
  note(id).diff = { path, old, new: now };
}

/** What was noted for `id`, which is forgotten with that. */
export function takeNotes(id) {
  const found = notes.get(id) ?? {};
  notes.delete(id);
  return found;
}
