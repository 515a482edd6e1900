// Node's `readline`, for the output of a child process: pi's grep reads its matches line by line.
import { EventEmitter } from "events";

export function createInterface({ input }) {
  const lines = new EventEmitter();
  let rest = "";
  const take = (chunk) => {
    const pieces = (rest + chunk).split("\n");
    rest = pieces.pop();
    for (const piece of pieces) lines.emit("line", piece);
  };
  const finish = () => {
    if (rest !== "") lines.emit("line", rest);
    rest = "";
  };
  input.on("data", take);
  input.on("end", finish);
  lines.close = () => {
    input.off("data", take);
    input.off("end", finish);
  };
  return lines;
}

export default { createInterface };
