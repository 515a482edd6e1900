// Node's `url`, for `file:` addresses only.

export function fileURLToPath(url) {
  const text = String(url?.href ?? url);
  if (!text.startsWith("file://")) throw new TypeError(`not a file address: ${text}`);
  return decodeURIComponent(text.slice("file://".length));
}

export function pathToFileURL(path) {
  const href = `file://${path.split("/").map(encodeURIComponent).join("/")}`;
  return { href, toString: () => href };
}

export default { fileURLToPath, pathToFileURL };
