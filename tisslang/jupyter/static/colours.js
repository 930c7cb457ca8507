/**
 * The colours of TissLang, line by line: for the widget and for JupyterLab.
 *
 * `tokenizeLine` splits lines as tisslang/syntax/lexer.py does; a test compares the two. Broken
 * text is coloured as far as it goes: nothing here throws.
 *
 * The widget puts this file and its own into one module, hence the `tiss` before every name.
 */

/** The reserved words and the fields of the language, by what they are. */
export const WORDS = {
  block: "TASK SETUP STEP DEFINE_TASK OPTION IF TRY PARALLEL CHOOSE ESTIMATE_COST".split(" "),
  command: (
    "READ WRITE RUN ASSERT VAR LOG MKDIR DELETE " +
    "CALL PROMPT_AGENT SET_BUDGET PAUSE REQUEST_REVIEW"
  ).split(" "),
  clause: "AS WITH INTO THEN ELSE CATCH".split(" "),
  condition: "NOT CONTAINS IS_EMPTY FILE EXISTS".split(" "),
  constant: "true false".split(" "),
  value: "LAST_RUN COST ERROR".split(" "),
  field: [
    ..."STDOUT STDERR EXIT_CODE EXECUTION_TIME COMMAND".split(" ").map((x) => `LAST_RUN.${x}`),
    ..."KIND MESSAGE LINE".split(" ").map((x) => `ERROR.${x}`),
    ..."TOTAL API_CALLS TOKENS RUNS TIME".split(" ").map((x) => `COST.${x}`),
  ],
  reserved: "FOR WHILE INCLUDE FINALLY RETURN MATCHES AND OR".split(" "),
};

const TISS_SPAN_OF = {
  block: "keyword",
  command: "keyword",
  clause: "clause",
  condition: "clause",
  constant: "constant",
  value: "constant",
  reserved: "error", // they have no meaning yet
};
/** The kind of span of each reserved word. */
const TISS_RESERVED = new Map(
  Object.entries(TISS_SPAN_OF).flatMap(([list, kind]) => WORDS[list].map((word) => [word, kind]))
);
/** The string behind these is a name or a description: `{{` is text in it. */
const TISS_NAMED = new Set(["TASK", "SETUP", "STEP", "OPTION", "DEFINE_TASK", "CALL"]);

const TISS_NAME = "[A-Za-z_][A-Za-z0-9_]*";
// Only space and tab are blanks, and `[^]` is any character: JavaScript's `\s` and `.` mean others.
const TISS_TOKEN = new RegExp(
  `(?<word>${TISS_NAME})` +
    "|(?<number>[0-9]+(?:\\.[0-9]+)?(?:ms|[smh])(?![A-Za-z0-9_])|-?[0-9]+(?:\\.[0-9]+)?)" +
    "|(?<comment>#[^]*)" +
    "|(?<string>\"(?:[^\"\\\\]|\\\\[^])*\"|'[^']*')" +
    "|(?<operator>[{}|@.,]|\\?=|[=!<>]=|=|>|<(?!<))" +
    `|<<(?<indented>-?)(?:'(?<raw>${TISS_NAME})'|(?<heredoc>${TISS_NAME}))`,
  "uy"
);
const TISS_BLANKS = /[ \t]*/y;
const TISS_HEADER = /^#TISS(?:!|_VERSION(?![A-Za-z0-9_]))/;
const TISS_INTERPOLATION =
  `\\{\\{[ \\t]*(?<root>${TISS_NAME})(?:\\.(?<field>${TISS_NAME}))?[ \\t]*` +
  `(?:\\|[ \\t]*(?<filter>${TISS_NAME})[ \\t]*)?\\}\\}`;
const TISS_IN_STRING = new RegExp(`\\\\(?<escape>[^])|${TISS_INTERPOLATION}`, "gu");
const TISS_IN_HEREDOC = new RegExp(`\\\\(?<escape>\\{)(?=\\{)|${TISS_INTERPOLATION}`, "gu");

/**
 * The coloured pieces of one line, and the state in which the next line begins.
 *
 * @param {string} line a line without its line feed
 * @param {object | null} state what the line before gave; null for the first line. It is plain
 *   data and is never changed: `{place: "header" | "script"}`, or in the body of a heredoc
 *   `{place: "heredoc", word, raw, indented}`, where `word` is also the language.
 * @returns {{spans: [number, number, string][], state: object}} `[from, to, kind]`, offsets as
 *   JavaScript counts. What no span covers is blank.
 */
export function tokenizeLine(line, state) {
  const text = line.endsWith("\r") ? line.slice(0, -1) : line;
  if (state && state.place === "heredoc") return tissHeredocLine(text, state);
  const spans = [];
  let inHeader = !state || state.place === "header";
  let before = ""; // the token before, with a dot that follows it
  let at = !state && text.startsWith("\ufeff") ? 1 : 0;
  for (;;) {
    TISS_BLANKS.lastIndex = at;
    at += TISS_BLANKS.exec(text)[0].length;
    if (at >= text.length) break;
    TISS_TOKEN.lastIndex = at;
    const match = TISS_TOKEN.exec(text);
    const found = match ? match.groups : {};
    const token = match ? match[0] : tissBroken(text, at);
    const end = at + token.length;
    if (found.comment !== undefined) {
      spans.push([at, end, inHeader && TISS_HEADER.test(token) ? "header" : "comment"]);
      break;
    }
    inHeader = false;
    const word = found.raw || found.heredoc;
    if (word) {
      spans.push([at, end, "heredocMark"], ...tissBehindOpener(text, end));
      const [raw, indented] = [Boolean(found.raw), Boolean(found.indented)];
      return { spans, state: { place: "heredoc", word, raw, indented } };
    }
    if (!match) spans.push(...tissBrokenSpans(at, token));
    else if (found.string) tissPieces(spans, at, token, !TISS_NAMED.has(before));
    else spans.push([at, end, tissKind(found, token, before)]);
    before = token === "." ? before + token : token;
    at = end;
  }
  return { spans, state: { place: inHeader ? "header" : "script" } };
}

/** The kind of a word, a number or an operator. */
function tissKind(found, token, before) {
  if (found.number !== undefined) return "number";
  if (found.operator !== undefined) return token === "@" ? "directive" : "operator";
  if (TISS_RESERVED.has(token)) return TISS_RESERVED.get(token);
  if (before === "@") return "directive";
  return WORDS.field.includes(before + token) ? "constant" : "name";
}

/** A string that is not closed, to the end of the line, or else what no token begins with. */
function tissBroken(text, at) {
  if (text[at] === '"' || text[at] === "'") return text.slice(at);
  return text.startsWith("<<", at) ? "<<" : String.fromCodePoint(text.codePointAt(at));
}

/** An open string keeps its colour, since it is open whenever one types; its quote is marked. */
function tissBrokenSpans(at, token) {
  if (token[0] !== '"' && token[0] !== "'") return [[at, at + token.length, "error"]];
  const rest = token.length > 1 ? [[at + 1, at + token.length, "string"]] : [];
  return [[at, at + 1, "error"], ...rest];
}

/** Behind the opener of a heredoc only a comment may stand. */
function tissBehindOpener(text, at) {
  const blanks = text.slice(at).search(/[^ \t]/);
  if (blanks < 0) return [];
  return [[at + blanks, text.length, text[at + blanks] === "#" ? "comment" : "error"]];
}

/** A string with its escapes and interpolations. */
function tissPieces(spans, start, token, interpolate) {
  if (token[0] === "'") spans.push([start, start + token.length, "string"]);
  else tissSplit(spans, start, token, "string", TISS_IN_STRING, interpolate);
}

/** A line in the body of a heredoc, or the line that ends it. */
function tissHeredocLine(text, state) {
  const at = state.indented ? text.search(/[^ \t]/) : 0;
  const end = at + state.word.length;
  if (text.startsWith(state.word, at) && !/[^ \t]/.test(text.slice(end))) {
    return { spans: [[at, end, "heredocMark"]], state: { place: "script" } };
  }
  const spans = [];
  if (state.raw) spans.push([0, text.length, "heredoc"]);
  else tissSplit(spans, 0, text, "heredoc", TISS_IN_HEREDOC, true);
  return { spans: text ? spans : [], state };
}

/** Add the spans of a text of one kind that holds escapes and, perhaps, interpolations. */
function tissSplit(spans, start, text, kind, pattern, interpolate) {
  let done = 0;
  for (const match of text.matchAll(pattern)) {
    const { escape, root, field, filter } = match.groups;
    let inner = "interpolation";
    if (escape !== undefined) inner = '"\\ntr{'.includes(escape) ? "escape" : "error";
    else if (!interpolate || !tissIsReference(root, field, filter)) continue;
    if (match.index > done) spans.push([start + done, start + match.index, kind]);
    done = match.index + match[0].length;
    spans.push([start + match.index, start + done, inner]);
  }
  if (text.length > done) spans.push([start + done, start + text.length, kind]);
}

/** Does this between `{{` and `}}` name a value? If not it is text. */
function tissIsReference(root, field, filter) {
  if (TISS_RESERVED.has(field) || TISS_RESERVED.has(filter)) return false;
  if (field === undefined) return root === "COST" || !TISS_RESERVED.has(root);
  return WORDS.value.includes(root);
}
