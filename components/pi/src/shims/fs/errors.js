// Turns errors of wasi:filesystem into errors as Node throws them, because pi reads their `code`.

const CODES = {
  access: ["EACCES", "permission denied"],
  "bad-descriptor": ["EBADF", "bad file descriptor"],
  busy: ["EBUSY", "resource busy or locked"],
  exist: ["EEXIST", "file already exists"],
  "file-too-large": ["EFBIG", "file too large"],
  "insufficient-space": ["ENOSPC", "no space left on device"],
  invalid: ["EINVAL", "invalid argument"],
  "is-directory": ["EISDIR", "illegal operation on a directory"],
  loop: ["ELOOP", "too many symbolic links encountered"],
  "name-too-long": ["ENAMETOOLONG", "name too long"],
  "no-entry": ["ENOENT", "no such file or directory"],
  "not-directory": ["ENOTDIR", "not a directory"],
  "not-empty": ["ENOTEMPTY", "directory not empty"],
  "not-permitted": ["EPERM", "operation not permitted"],
  quota: ["EDQUOT", "disk quota exceeded"],
  "read-only": ["EROFS", "read-only file system"],
};

/** An error like Node's, e.g. `ENOENT: no such file or directory, open '/workspace/a'`. */
export function fsError(code, text, operation, path) {
  const at = path === undefined ? "" : ` '${path}'`;
  return Object.assign(new Error(`${code}: ${text}, ${operation}${at}`), { code, syscall: operation, path });
}

export const notFound = (operation, path) => fsError("ENOENT", "no such file or directory", operation, path);

/** Runs `action`, which calls wasi:filesystem, and rethrows its error as Node would. */
export function guarded(operation, path, action) {
  try {
    return action();
  } catch (error) {
    const name = error?.payload;
    if (typeof name !== "string") throw error;
    const [code, text] = CODES[name] ?? ["EIO", name];
    throw fsError(code, text, operation, path);
  }
}
