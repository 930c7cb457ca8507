/** Where the program `tiss` may be: paths alone, so that it can be tested without an editor. */

import path from "node:path";

/**
 * @typedef {object} Surroundings
 * @property {string} setting what the person wrote into `tisslang.path`, perhaps nothing
 * @property {string[]} folders the workspace's folders, the nearest first
 * @property {string} platform as Node names it
 * @property {string} home the person's own folder
 * @property {string} searchPath the variable PATH
 */

/**
 * The places to look at, in order. With a setting there is only that one: a person who names a
 * program does not want another.
 *
 * @param {Surroundings} surroundings
 * @returns {string[]}
 */
export function candidates({ setting, folders, platform, home, searchPath }) {
  const windows = platform === "win32";
  const { join, isAbsolute, delimiter } = windows ? path.win32 : path.posix;
  const program = windows ? "tiss.exe" : "tiss";
  const onPath = searchPath.split(delimiter).filter(isAbsolute); // no "." and no ""
  const named = setting.trim();
  if (named) {
    if (/^~[\\/]/.test(named)) return [join(home, named.slice(2))];
    if (isAbsolute(named)) return [named];
    if (/[\\/]/.test(named)) {
      const inside = named.replace(/^\$\{workspaceFolder\}[\\/]/, "");
      return folders.map((folder) => join(folder, inside));
    }
    return onPath.map((folder) => join(folder, named));
  }
  const inVenv = windows ? [".venv", "Scripts", program] : [".venv", "bin", program];
  return [
    ...folders.map((folder) => join(folder, ...inVenv)),
    ...onPath.map((folder) => join(folder, program)),
  ];
}

/**
 * The first candidate that is a program, or undefined.
 *
 * @param {Surroundings} surroundings
 * @param {(path: string) => Promise<boolean>} isProgram
 * @returns {Promise<string | undefined>}
 */
export async function findTiss(surroundings, isProgram) {
  for (const candidate of candidates(surroundings)) {
    if (await isProgram(candidate)) return candidate;
  }
  return undefined;
}

/**
 * What to tell a person when there is none.
 *
 * @param {Surroundings} surroundings
 */
export function notFound({ setting, folders, platform }) {
  const named = setting.trim();
  if (named)
    return `TissLang: the setting tisslang.path names ${named}, and no such program is there.`;
  const inVenv = platform === "win32" ? ".venv\\Scripts" : ".venv/bin";
  const where =
    folders.length > 0
      ? `neither in ${inVenv} of the workspace nor on the PATH`
      : "not on the PATH";
  return (
    `TissLang: the program tiss is ${where}. Colours and snippets work without it. ` +
    "For the rest install quantatissu[editor], or say in the settings where it is."
  );
}
