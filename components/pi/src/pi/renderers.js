// Stands in for pi's terminal renderers and theme: the host shows tool calls, not pi.

/** pi's own pace of partial output, in milliseconds. */
export const BASH_UPDATE_THROTTLE_MS = 100;
export const createShellRenderers = () => ({});
export const editRenderers = {};
export const findRenderers = {};
export const grepRenderers = {};
export const lsRenderers = {};
export const readRenderers = {};
export const writeRenderers = {};

const plain = (_style, text) => text;
export const theme = { fg: plain, bg: plain, bold: (text) => text, italic: (text) => text };
export const getThemeByName = () => undefined;
export const loadThemeFromPath = () => undefined;
