// Resources as the component runtime gives them: they can be dropped, once, and a test can see
// which are still open.

export class Handles {
  live = new Set();

  /** `methods` as a resource named `kind`. */
  open(kind, methods, onDrop = () => {}) {
    const check = () => {
      if (!this.live.has(resource)) throw new Error(`use of a dropped ${kind}`);
    };
    const resource = {
      kind,
      [Symbol.dispose]: () => {
        check();
        this.live.delete(resource);
        onDrop();
      },
    };
    for (const [name, method] of Object.entries(methods)) {
      resource[name] = (...args) => {
        check();
        return method(...args);
      };
    }
    this.live.add(resource);
    return resource;
  }

  /** A waitable that is ready when `isReady()` says so. */
  waitable(isReady) {
    return this.open("waitable", { ready: isReady });
  }

  kinds() {
    return [...this.live].map(({ kind }) => kind).sort();
  }
}

/** An error of an import, as the component runtime throws it. */
export function failure(payload) {
  return Object.assign(new Error("(see error.payload)"), { payload });
}
