import { readFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

/** Below this, compression saves nothing worth it, and `curl /` stays readable. */
const SMALLEST_COMPRESSED = 2048;

/**
 * Replaces each file that shrinks by a tenth or more with its gzip form, `.gz` at the end of its
 * name: the binary carries one form only, and build.rs reads the encoding from the name.
 */
function compressed(): Plugin {
  return {
    name: "rollcall-compressed",
    apply: "build",
    async writeBundle({ dir = "dist" }) {
      for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile()) continue;
        const path = join(entry.parentPath, entry.name);
        const plain = await readFile(path);
        if (plain.length < SMALLEST_COMPRESSED) continue;
        const small = gzipSync(plain, { level: 9 });
        if (small.length > plain.length * 0.9) continue;
        await writeFile(`${path}.gz`, small);
        await rm(path);
      }
    },
  };
}

export default defineConfig({
  plugins: [compressed()],
  // Module workers: own files of the same origin, as `worker-src 'self'` asks.
  worker: { format: "es" },
  build: {
    // Monaco is one large chunk, loaded after the page stands.
    chunkSizeWarningLimit: 8192,
    modulePreload: { polyfill: false },
    // An asset inlined into a script would be a data: URL, which the policy lets through for
    // images and fonts only.
    assetsInlineLimit: 0,
  },
});
