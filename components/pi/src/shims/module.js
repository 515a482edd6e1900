// Node's `module`: nothing can be loaded at run time.

export function createRequire() {
  return (name) => {
    throw Object.assign(new Error(`cannot load ${name}: this build of pi loads no module at run time`), {
      code: "MODULE_NOT_FOUND",
    });
  };
}

export default { createRequire };
