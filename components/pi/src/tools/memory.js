// `memory` of `xclaw` as tools.
import { Type } from "typebox";
import * as memory from "xpressclaw:xclaw/memory@0.1.0";
import { wellFormed } from "../wit.js";
import { date, verbTool } from "./verb.js";

const DEFAULT_HITS = 10;
const MOST_HITS = 100;
const limit = Type.Optional(Type.Integer({ minimum: 1, maximum: MOST_HITS, description: "Default 10" }));
const show = (note) => ({ id: note.id, text: note.text, tags: note.tags, created: date(note.created) });

export const memoryTools = [
  verbTool({
    name: "memory_add",
    description: "Store a note that outlives this session. Returns its id.",
    snippet: "Store a note that outlives this session",
    parameters: Type.Object({
      text: Type.String({ minLength: 1, description: "The note, at most 65,536 bytes" }),
      tags: Type.Optional(Type.Array(Type.String({ minLength: 1 }), { maxItems: 16, description: "Short labels" })),
    }),
    verb: ({ text, tags }) => `added note ${memory.add(wellFormed(text), (tags ?? []).map(wellFormed))}`,
  }),
  verbTool({
    name: "memory_search",
    description: "Search stored notes by words, best match first. All words count, none is required.",
    snippet: "Search the notes of this and earlier sessions",
    parameters: Type.Object({ query: Type.String({ minLength: 1 }), limit }),
    verb: (input) => memory.search(wellFormed(input.query), input.limit ?? DEFAULT_HITS).map(({ note }) => show(note)),
  }),
  verbTool({
    name: "memory_list",
    description: "List stored notes, newest first. For the next page pass the last note's id as before.",
    snippet: "List stored notes, newest first",
    parameters: Type.Object({ before: Type.Optional(Type.String()), limit }),
    verb: (input) => memory.listNotes(input.before ?? null, input.limit ?? DEFAULT_HITS).map(show),
  }),
  verbTool({
    name: "memory_delete",
    description: "Delete a stored note by its id.",
    snippet: "Delete a stored note",
    parameters: Type.Object({ id: Type.String({ minLength: 1 }) }),
    verb: ({ id }) => {
      memory.delete(id);
      return `deleted note ${id}`;
    },
  }),
];
