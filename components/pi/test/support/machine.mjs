// A machine whose commands are scripted: `shellThat([...steps])` makes a `spawn` whose process goes
// through the steps, one each time the component waits with nothing else to do.
import { failure } from "./handles.mjs";

const encoder = new TextEncoder();

/** Steps: `{ out }`, `{ err }`, `{ exit }`, `{ error }` (of the next call), or a function. */
export function shellThat(steps) {
  return (command, host) => {
    const chunks = [];
    let exit;
    let error;
    const advance = () => {
      const step = steps.shift();
      if (step === undefined) return;
      if (typeof step === "function") step();
      else if (step.exit !== undefined) exit = step.exit;
      else if (step.error !== undefined) error = step.error;
      else chunks.push({ stream: step.err === undefined ? "stdout" : "stderr", data: encoder.encode(step.out ?? step.err) });
      if (steps.length > 0) host.onIdle.push(advance);
    };
    host.onIdle.push(advance);
    const answer = (value) => {
      if (error !== undefined) throw failure(error);
      return value();
    };
    const over = () => exit !== undefined || error !== undefined;
    return host.handles.open(
      "process",
      {
        closeStdin: () => {},
        exit: () => answer(() => exit),
        exited: () => host.handles.waitable(over),
        read: () => answer(() => chunks.splice(0)),
        readable: () => host.handles.waitable(() => chunks.length > 0 || over()),
      },
      () => host.dropped.push(`process ${command.script}`),
    );
  };
}

export const code = (val) => ({ exit: { tag: "code", val } });
