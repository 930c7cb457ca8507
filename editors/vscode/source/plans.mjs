/** What can be run in a plan, and the arguments that run it: no editor is needed here. */

const HEAD = /^(TASK|STEP)[ \t]*("(?:[^"\\]|\\.)*"|'[^']*')/;
const ESCAPES = { '"': '"', "\\": "\\", n: "\n", t: "\t", r: "\r", "{": "{" };

/**
 * @typedef {object} Runnable
 * @property {number} line from 0
 * @property {string} [step] the description of the step; without it the whole plan is meant
 */

/**
 * The TASK and the top-level STEPs: only these can be chosen with `--step`.
 *
 * The language server says where they stand, since it knows heredocs and comments; the description
 * is read from the text, where it is exact.
 *
 * @param {{ range: { start: { line: number, character: number } }, children?: any[] }[]} symbols
 *   of the document, as the language server gives them
 * @param {(line: number) => string} lineAt
 * @returns {Runnable[]}
 */
export function runnables(symbols, lineAt) {
  return symbols.flatMap(({ range: { start }, children = [] }) => {
    const head = HEAD.exec(lineAt(start.line).slice(start.character));
    if (!head) return [];
    if (head[1] === "TASK") {
      return [
        { line: start.line },
        ...runnables(children, lineAt).filter((found) => "step" in found),
      ];
    }
    const step = value(head[2]);
    return step === undefined || hasVariable(step) ? [] : [{ line: start.line, step }];
  });
}

/**
 * The text that a string of the language means; undefined when it has an unknown escape.
 *
 * @param {string} literal with its quotes
 */
export function value(literal) {
  const inside = literal.slice(1, -1);
  if (literal[0] === "'") return inside;
  let known = true;
  const text = inside.replace(/\\(.)/gu, (_, character) => {
    known &&= character in ESCAPES;
    return ESCAPES[character];
  });
  return known ? text : undefined;
}

/**
 * @typedef {object} Request what is to be done with a plan
 * @property {string} file relative to the folder in which `tiss` starts, or absolute
 * @property {boolean} [check]
 * @property {boolean} [dryRun]
 * @property {string} [step]
 */

/**
 * The arguments of `tiss`. Each is one entry, so nothing needs quoting: no shell reads them.
 *
 * @param {Request} request
 * @param {string[]} further the person's own arguments of `tiss run`
 */
export function argumentsFor({ file, check, dryRun, step }, further = []) {
  const plan = file.startsWith("-") ? `./${file}` : file; // a dash would make it a flag
  if (check) return ["check", plan];
  return [
    "run",
    ...(dryRun ? ["--dry-run"] : []),
    ...(step === undefined ? [] : [`--step=${step}`]), // also when it begins with a dash
    ...further,
    plan,
  ];
}

/**
 * Whether the editor would read a text in a way of its own: it replaces `${…}` in what a task
 * starts, and `${command:…}` runs a command. There is no escape for it.
 *
 * @param {(string | undefined)[]} texts
 */
export function hasVariable(...texts) {
  return texts.some((text) => text?.includes("${"));
}

/**
 * The name of the task in the terminal's list.
 *
 * @param {Request} request
 */
export function taskName({ file, check, dryRun, step }) {
  const verb = check ? "check" : dryRun ? "dry run" : "run";
  return `${verb} ${file}${step ? ` · ${step}` : ""}`;
}
