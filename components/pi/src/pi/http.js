// Stands in for pi's `core/http-dispatcher.js`: pi makes no HTTP request here, only its settings
// reader asks for these two names.

export const DEFAULT_HTTP_IDLE_TIMEOUT_MS = 0;
export const parseHttpIdleTimeoutMs = (value) => (typeof value === "number" ? value : undefined);
