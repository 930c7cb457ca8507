/** Bundles the extension into dist/, with the licences of what goes into the bundle. */

import { readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";

import { build } from "esbuild";

const OPTIONS = {
  bundle: true,
  external: ["vscode"], // the editor has it
  format: "cjs",
  minify: true,
  legalComments: "none", // they stand in NOTICES.txt
  metafile: true,
  logLevel: "warning",
};

rmSync("dist", { recursive: true, force: true });
const { metafile } = await build({
  ...OPTIONS,
  entryPoints: ["source/extension.mjs"],
  outfile: "dist/extension.js",
  platform: "node",
  target: "node20",
});
await build({
  ...OPTIONS,
  entryPoints: ["source/browser.mjs"],
  outfile: "dist/browser.js",
  platform: "browser",
  target: "es2022",
});
writeFileSync("dist/NOTICES.txt", notices(Object.keys(metafile.inputs)));

/**
 * The licence of each package that has a file in the bundle.
 *
 * @param {string[]} inputs paths of the bundled files
 */
function notices(inputs) {
  const folder = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/;
  const folders = new Set(inputs.map((path) => folder.exec(path)?.[0]).filter(Boolean));
  const texts = [...folders].sort().map((path) => {
    const { name, version, license } = JSON.parse(readFileSync(`${path}/package.json`, "utf8"));
    const file = readdirSync(path).find((entry) => /^licen[cs]e/i.test(entry));
    if (!file) throw new Error(`${path} has no file with its licence`);
    return `${name} ${version} (${license})\n\n${readFileSync(`${path}/${file}`, "utf8").trim()}\n`;
  });
  return ["dist/extension.js holds these packages:\n", ...texts].join(`\n${"-".repeat(72)}\n\n`);
}
