// Bundles `src/main.js` and pi's own modules into one ES module for QuickJS.
//
// Called by `build.mjs` and by the tests, which run the very same bundle with doubles for the
// host's interfaces. Four rules decide what a module name means:
// 1. a Node built-in is a file of `src/shims`;
// 2. a module of pi that needs a terminal, a network or a native library is a file of `src/pi`
//    (`LEFT_OUT` below is the whole list);
// 3. `pi:<package>/<file>` is a file of pi that its package does not export;
// 4. an interface of the host stays an import.
// Everything else is what npm installed. Nothing here edits pi's code.
import { build } from "esbuild";
import { existsSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const SOURCES = join(ROOT, "src");
const HOST_INTERFACE = /^(xpressclaw|wasi):/;
const INNER_MODULE = /^pi:([a-z-]+)\/(.+)$/;

/** Modules of pi, relative to their package's `dist`, and the file that stands in for each. */
export const LEFT_OUT = {
  "pi-coding-agent": {
    "config.js": "config.js",
    "core/bug-report.js": "absent.js",
    "core/event-bus.js": "absent.js",
    "core/export-html/index.js": "absent.js",
    "core/export-html/tool-renderer.js": "absent.js",
    "core/extensions/index.js": "extensions.js",
    "core/extensions/loader.js": "absent.js",
    "core/footer-data-provider.js": "absent.js",
    "core/http-dispatcher.js": "http.js",
    "core/model-registry.js": "models.js",
    "core/package-manager.js": "absent.js",
    "core/tools/render-utils.js": "renderers.js",
    "core/tools/renderers/bash.js": "renderers.js",
    "core/tools/renderers/edit.js": "renderers.js",
    "core/tools/renderers/find.js": "renderers.js",
    "core/tools/renderers/grep.js": "renderers.js",
    "core/tools/renderers/ls.js": "renderers.js",
    "core/tools/renderers/read.js": "renderers.js",
    "core/tools/renderers/write.js": "renderers.js",
    "modes/interactive/theme/theme.js": "renderers.js",
    "utils/child-process.js": "absent.js",
    "utils/image-convert.js": "images.js",
    "utils/image-resize.js": "images.js",
    "utils/tools-manager.js": "search-tools.js",
  },
};

/** Whole packages that a stand-in replaces. */
const REPLACED_PACKAGES = {
  "@earendil-works/pi-ai/compat": "pi/ai.js",
  chalk: "pi/absent.js",
  "proper-lockfile": "pi/absent.js",
};

/** The stand-in for the resolved file `path` of pi, or `undefined`. */
function standIn(path) {
  for (const [name, modules] of Object.entries(LEFT_OUT)) {
    const marker = `${sep}@earendil-works${sep}${name}${sep}dist${sep}`;
    const at = path.lastIndexOf(marker);
    if (at === -1) continue;
    const file = modules[path.slice(at + marker.length).split(sep).join("/")];
    if (file !== undefined) return join(SOURCES, "pi", file);
  }
  return undefined;
}

/** The shim for the Node built-in `name`, or `undefined` when it is none. */
function shim(name) {
  const bare = name.startsWith("node:") ? name.slice("node:".length) : name;
  const file = join(SOURCES, "shims", `${bare.replaceAll("/", "-")}.js`);
  return /^[a-z_]+(\/[a-z]+)?$/.test(bare) && existsSync(file) ? file : undefined;
}

const rules = {
  name: "xpressclaw-pi",
  setup(builder) {
    builder.onResolve({ filter: /.*/ }, async (args) => {
      if (args.pluginData === rules || args.kind === "entry-point") return undefined;
      if (HOST_INTERFACE.test(args.path)) return { path: args.path, external: true };
      const inner = INNER_MODULE.exec(args.path);
      if (inner !== null) return { path: join(ROOT, "node_modules/@earendil-works", `pi-${inner[1]}`, "dist", inner[2]) };
      const replaced = REPLACED_PACKAGES[args.path];
      if (replaced !== undefined) return { path: join(SOURCES, replaced) };
      const builtin = shim(args.path);
      // The shims for `buffer`, `events` and the like wrap npm packages of the same name.
      if (builtin !== undefined && !args.importer.startsWith(join(SOURCES, "shims"))) return { path: builtin };
      const resolved = await builder.resolve(args.path, {
        importer: args.importer,
        kind: args.kind,
        namespace: args.namespace,
        resolveDir: args.resolveDir,
        pluginData: rules,
      });
      if (resolved.errors.length > 0) return resolved;
      const instead = standIn(resolved.path);
      return instead === undefined ? resolved : { path: instead };
    });
  },
};

/**
 * The bundle's text, what it imports, and the sizes of what is in it.
 * `format` is `esm` for the component and `cjs` for the tests.
 */
export async function bundle({ format = "esm", minify = true } = {}) {
  const result = await build({
    absWorkingDir: ROOT,
    bundle: true,
    define: { global: "globalThis", "import.meta.url": '"file:///pi/index.js"', PI_BUNDLED_NODE: "false" },
    // The source file comes first: where a package offers builds for Node and for browsers,
    // neither environment is ours.
    entryPoints: ["src/main.js"],
    external: [],
    format,
    legalComments: "none",
    loader: { ".md": "text" },
    logLevel: "silent",
    mainFields: ["module", "main"],
    metafile: true,
    minifyIdentifiers: minify,
    minifySyntax: minify,
    minifyWhitespace: minify,
    keepNames: minify,
    outfile: "main.js",
    platform: "neutral",
    conditions: ["import", "module", "default"],
    plugins: [rules],
    target: "es2023",
    treeShaking: true,
    write: false,
  });
  const [{ imports, inputs }] = Object.values(result.metafile.outputs);
  return { text: result.outputFiles[0].text, imports: imports.map(({ path }) => path), inputs };
}
