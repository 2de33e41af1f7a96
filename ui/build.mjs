// Builds assets/src into assets/dist: bundled, minified, named by content, each
// with a .gz beside it, and manifest.json from plain names to built ones. The Go
// package embeds the folder and never compresses an asset itself.
//
// The output depends on the sources and the locked packages only.
import { build } from "esbuild";
import { readFile, readdir, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const root = dirname(fileURLToPath(import.meta.url));
const src = join(root, "assets/src");
const dist = join(root, "assets/dist");

// A built file that isn't in the manifest any more would be embedded for ever.
for (const name of await readdir(dist)) {
  if (name !== ".gitkeep") await rm(join(dist, name), { recursive: true });
}

const result = await build({
  entryPoints: ["app.js", "chart.js", "app.css", "favicon.svg"].map((name) => join(src, name)),
  outdir: dist,
  bundle: true,
  minify: true,
  format: "esm",
  // light-dark(), nesting and :has() are in all three engines since early 2024.
  target: ["chrome123", "firefox121", "safari17.5"],
  entryNames: "[name]-[hash]",
  loader: { ".svg": "copy" },
  metafile: true,
  legalComments: "none",
  logLevel: "warning",
});

const manifest = {};
for (const [path, output] of Object.entries(result.metafile.outputs)) {
  const built = basename(path);
  // The entry point is missing for copied files; they have exactly one input.
  const source = output.entryPoint ?? Object.keys(output.inputs)[0];
  manifest[relative(src, join(process.cwd(), source))] = built;

  const bytes = await readFile(join(dist, built));
  const gz = gzipSync(bytes, { level: 9 });
  await writeFile(join(dist, `${built}.gz`), gz);
  console.log(`${built.padEnd(28)} ${String(bytes.length).padStart(7)} B, gzip ${gz.length} B`);
}

// Written last: with it there, the rest is.
const sorted = Object.fromEntries(Object.entries(manifest).sort(([a], [b]) => (a < b ? -1 : 1)));
await writeFile(join(dist, "manifest.json"), JSON.stringify(sorted, null, 2) + "\n");
