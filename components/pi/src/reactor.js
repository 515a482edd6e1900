// The event loop. QuickJS runs promises only inside a call, and the host's functions block, so all
// waiting of a turn happens here, in one multi-wait over everything that is waited for: an answer's
// next piece, a process's output, a host tool, a timer, and the user's input.
//
// Called by `main.js` (`runUntilSettled`), by the tools and the model stream (`ready`), and through
// the global timers by pi. It must never block while a promise can still make progress. QuickJS
// cannot say whether its queue of jobs is empty, so the loop lets `IDLE_PASSES` rounds of the queue
// go by without activity before it blocks; a longer silent chain would only be delayed, because
// whatever is waited for comes from the host.
import { wait } from "xpressclaw:base/wait@0.1.0";

/** Many times the 15 rounds that pi's longest chain of promises between two effects takes. */
const IDLE_PASSES = 100;
/** Rounds with nothing to wait for after which a promise counts as stuck for good. */
const STUCK_ROUNDS = 5_000;
/** `wait` takes milliseconds as u32, of which the runtime converts the lower 31 bits. */
const LONGEST_WAIT_MS = 0x7fff_ffff;

const waiting = new Set();
const timers = new Map();
let nextTimer = 1;
let activity = 0;
let cancelled = false;

/** Tells the loop that something happened which may let promises go on. */
export function noteActivity() {
  activity += 1;
}

/** Resolves when one of `waitables` is ready, or when the turn is cancelled. Does not drop them. */
export function ready(...waitables) {
  if (cancelled) return Promise.resolve();
  return new Promise((resolve) => waiting.add({ waitables, resolve }));
}

/**
 * The turn is cancelled: from now on until `beginTurn` nothing waits, so that pi winds the turn
 * down at once. What was waited for is released; its next call tells that it was cancelled.
 */
export function cancelWaits() {
  cancelled = true;
  release([...waiting]);
  for (const timer of timers.values()) timer.due = 0;
}

/** A new turn may wait again. */
export function beginTurn() {
  cancelled = false;
  waiting.clear();
  timers.clear();
}

export function setTimer(task, delay = 0, ...args) {
  return addTimer(task, delay, args, undefined);
}

export function setRepeating(task, delay = 0, ...args) {
  return addTimer(task, delay, args, Math.max(1, delay));
}

export function clearTimer(timer) {
  if (timer !== undefined && timer !== null) timers.delete(timer.id);
}

function addTimer(task, delay, args, every) {
  const id = nextTimer++;
  const due = cancelled ? 0 : Date.now() + Math.max(0, Number(delay) || 0);
  const timer = { id, due, run: () => task(...args), every, ref: () => timer, unref: () => timer };
  timers.set(id, timer);
  return timer;
}

/**
 * Runs the loop until `promise` is settled and returns its outcome. `input` is the waitable of the
 * user's input and `onInput` takes what has arrived; after it saw a cancel it must have called
 * `cancelWaits`.
 */
export async function runUntilSettled(promise, input, onInput) {
  let settled = false;
  const done = () => {
    settled = true;
  };
  promise.then(done, done);
  let stuck = 0;
  for (;;) {
    await quiesce(() => settled);
    if (settled) return promise;
    if (fireDueTimers()) continue;
    if (cancelled) release([...waiting]);
    if (waiting.size === 0 && timers.size === 0) {
      stuck += 1;
      if (stuck > STUCK_ROUNDS) throw new Error("pi waits for something that nothing can bring about");
      continue;
    }
    stuck = 0;
    const list = [{ waitable: input }];
    for (const entry of waiting) for (const waitable of entry.waitables) list.push({ waitable, entry });
    const indices = wait(
      list.map(({ waitable }) => waitable),
      untilNextTimer(),
    );
    noteActivity();
    // Nothing ready means that the time-out passed or that the turn is cancelled.
    if (indices.length === 0 || indices.includes(0)) onInput();
    release(indices.map((index) => list[index].entry).filter(Boolean));
  }
}

async function quiesce(isSettled) {
  let seen = activity;
  for (let pass = 0; pass < IDLE_PASSES && !isSettled(); pass += 1) {
    await undefined;
    if (seen !== activity) {
      seen = activity;
      pass = 0;
    }
  }
}

function release(entries) {
  for (const entry of entries) {
    if (waiting.delete(entry)) entry.resolve();
  }
}

function untilNextTimer() {
  let earliest = Infinity;
  for (const timer of timers.values()) earliest = Math.min(earliest, timer.due);
  if (earliest === Infinity) return null;
  return Math.min(LONGEST_WAIT_MS, Math.max(0, Math.ceil(earliest - Date.now()))) | 0;
}

function fireDueTimers() {
  const now = Date.now();
  const due = [...timers.values()].filter((timer) => timer.due <= now).sort((a, b) => a.due - b.due);
  for (const timer of due) {
    if (!timers.has(timer.id)) continue;
    if (timer.every === undefined) timers.delete(timer.id);
    else timer.due = now + timer.every;
    timer.run();
  }
  if (due.length > 0) noteActivity();
  return due.length > 0;
}
