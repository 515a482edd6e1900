// What the user sends while a turn runs, into pi's queues.
import { takeInput } from "xpressclaw:harness/turn@0.1.0";
import { cancelWaits } from "./reactor.js";
import { notice } from "./events.js";
import { fromParts } from "./wit.js";

/** The input of one session's turns. */
export class Input {
  #session;
  #pending = [];
  cancelled = false;

  constructor(session) {
    this.#session = session;
  }

  begin() {
    this.cancelled = false;
    this.#pending = [];
  }

  /** Takes everything that has arrived. Never blocks. */
  take = () => {
    while (!this.cancelled) {
      const input = takeInput();
      if (input === null || input === undefined) return;
      if (input.tag === "cancel") this.#cancel();
      else this.#queue(input);
    }
  };

  /** Resolves when all that was taken is in pi's queues. */
  async queued() {
    this.take();
    await Promise.all(this.#pending.splice(0));
  }

  #cancel() {
    this.cancelled = true;
    // What was queued stays queued, as with pi's own abort: the next turn begins with it.
    void this.#session.abort();
    // The abort reaches pi's tools and streams first, so that they see why they stopped waiting.
    cancelWaits();
  }

  #queue({ tag, val }) {
    let content;
    try {
      content = fromParts(val);
    } catch (error) {
      notice(error.message);
      return;
    }
    const images = content.images.length > 0 ? content.images : undefined;
    const queued =
      tag === "steer"
        ? this.#session.steer(content.text, images)
        : this.#session.followUp(content.text, images);
    this.#pending.push(queued.catch((error) => notice(error.message)));
  }
}
