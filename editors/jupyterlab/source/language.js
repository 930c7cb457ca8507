/**
 * TissLang for CodeMirror: the lines of `tokenizeLine` as a language, in files and in cells.
 */
import {
  HighlightStyle,
  LanguageSupport,
  StreamLanguage,
  language,
  syntaxHighlighting,
} from "@codemirror/language";
import { Prec, StateField } from "@codemirror/state";
import { Tag, tags } from "@lezer/highlight";

import { tokenizeLine } from "../../../tisslang/jupyter/static/colours.js";

// Each kind of span has a tag of its own, which colours.raw.css colours, since some of JupyterLab's
// colours are too faint. The general tag beside it is for what knows no other: code in Markdown.
const GENERAL = {
  keyword: tags.keyword,
  clause: tags.keyword,
  name: tags.variableName,
  string: tags.string,
  escape: tags.special(tags.string),
  interpolation: tags.special(tags.variableName),
  number: tags.number,
  constant: tags.standard(tags.variableName),
  comment: tags.comment,
  header: tags.meta,
  directive: tags.meta,
  operator: tags.punctuation,
  heredoc: tags.string,
  heredocMark: tags.special(tags.string),
  error: tags.invalid,
  magic: tags.meta,
};
const tokenTable = {};
const styles = [];
for (const [kind, general] of Object.entries(GENERAL)) {
  const tag = Tag.define();
  tokenTable[tokenName(kind)] = [tag, general];
  styles.push({ tag, class: `tiss-is-${kind}` });
}
const colours = syntaxHighlighting(HighlightStyle.define(styles));

/** The name of a kind among tokens: CodeMirror has a meaning of its own for `header` and others. */
function tokenName(kind) {
  return `tiss-${kind}`;
}

const MAGIC = /^\s*%%(tiss(?!\S)|writefile\s.*\.tiss\s*$)/;

/** The language; in a cell its first line is a magic of the notebook. */
function define(inCell) {
  return StreamLanguage.define({
    name: inCell ? "tisslang-cell" : "tisslang",
    tokenTable,
    languageData: {
      commentTokens: { line: "#" },
      closeBrackets: { brackets: ["{", '"', "'"] },
      indentOnInput: /^\s*\}$/,
    },
    // `plan` is the state of tokenizeLine behind the line, `spans` those of the line; both are
    // never changed, so a shallow copy of this is a copy.
    startState: () => ({ atMagic: inCell, plan: null, spans: [], depth: 0 }),
    token(stream, state) {
      if (stream.sol()) startLine(stream.string, state);
      const span = state.spans.find(([, to]) => to > stream.pos);
      if (span === undefined) {
        stream.skipToEnd();
        return null;
      }
      const [from, to, kind] = span;
      if (from > stream.pos) {
        stream.pos = from; // over blanks
        return null;
      }
      stream.pos = to;
      if (kind === "operator") state.depth += braces(stream.string.slice(from, to));
      return tokenName(kind);
    },
    blankLine: (state) => startLine("", state),
    indent(state, textAfter, { unit }) {
      if (state.plan && state.plan.place === "heredoc") return null; // as the line before
      return Math.max(0, state.depth - (textAfter.startsWith("}") ? 1 : 0)) * unit;
    },
  });
}

/** Put the spans of a line into the state at its start. */
function startLine(line, state) {
  if (state.atMagic) {
    const magic = MAGIC.exec(line);
    if (magic) state.spans = [[line.indexOf("%"), magic[0].length, "magic"]];
    state.atMagic = !magic && !line.trim();
    if (magic || state.atMagic) return;
  }
  const { spans, state: plan } = tokenizeLine(line, state.plan);
  Object.assign(state, { spans, plan });
}

const braces = (text) => (text === "{" ? 1 : text === "}" ? -1 : 0);

/** For files, and for code in Markdown. */
export const fileSupport = new LanguageSupport(define(false), colours);

/** Does the cell begin with %%tiss? */
const isPlan = StateField.define({
  create: (state) => beginsWithMagic(state.doc),
  update: (value, { docChanged, newDoc }) => (docChanged ? beginsWithMagic(newDoc) : value),
});

function beginsWithMagic(text) {
  let number = 1; // blank lines may stand before it
  while (number < text.lines && !text.line(number).text.trim()) number += 1;
  return MAGIC.test(text.line(number).text);
}

// For as long as the notebook has not set a language: CodeMirror wants one where some may come.
const plainText = StreamLanguage.define({ token: (stream) => stream.skipToEnd() });
const cellLanguage = define(true);

/** For code cells: TissLang while the cell begins with %%tiss, otherwise the notebook's language. */
export const cellExtension = [
  isPlan,
  // The one of the highest precedence holds.
  Prec.highest(language.computeN([isPlan], (state) => (state.field(isPlan) ? [cellLanguage] : []))),
  Prec.lowest(language.of(plainText)),
  colours,
];
