"""The widget as a still picture, for where it cannot live: saved notebooks, GitHub, printed pages.

HTML without scripts, and plain text. Nothing varies from run to run of the same plan but what does
in a `PlanResult`. Colours come from the page, so that light and dark themes both work.
"""

from html import escape
from typing import Any

from tisslang.jupyter.result import BOX, PlanResult, preformatted

State = dict[str, Any]  # of the widget; its texts are safe to show

NOTE = "Run the cell to get the buttons back."
MAX_LINES = 200  # of a text
MAX_LINE = 1000  # characters
MAX_HTML = 60_000  # characters of a result; a longer one is shown as text


def picture_text(state: State, script: str, result: PlanResult | None) -> str:
    """The picture in plain text: `script` is shown until there is the `result` of a run."""
    parts = ["TissWidget", script] if result is None else ["TissWidget", _text(result)]
    if result is None:
        parts += [_headline(state), *_problems(state)]
    parts += [_title(change) for change in state["changes"]]
    return _cut("\n".join(part.rstrip() for part in parts if part))


def picture_html(state: State, script: str, result: PlanResult | None) -> str:
    """The picture in HTML: the script, the result of a run, the files that it changed."""
    parts = [f"<div>{NOTE}</div>", _folded("Script", script, is_open=True)]
    if result is None:
        parts.append(f"<div><strong>{escape(_headline(state))}</strong></div>")
        parts += [preformatted(_cut(text)) for text in ["\n".join(_problems(state))] if text]
    else:
        html = result._repr_html_()
        parts.append(html if len(html) <= MAX_HTML else preformatted(_text(result)))
    parts += [_folded(_title(change), change["diff"]) for change in state["changes"]]
    if state["changes_note"]:
        parts.append(f"<div>{escape(state['changes_note'])}</div>")
    return f'<div class="tiss-picture" style="{BOX}">{"".join(parts)}</div>'


def _text(result: PlanResult) -> str:
    return _cut(repr(result))


def _headline(state: State) -> str:
    return state["headline"] or "Not run yet."


def _problems(state: State) -> list[str]:
    """What a check has found."""
    return list(map(_problem, state["problems"])) if state["mode"] == "check" else []


def _problem(problem: dict[str, Any]) -> str:
    place = f"{problem['line']}:{problem['column']}"
    hint = f"\n    hint: {problem['hint']}" if problem["hint"] else ""
    return f"{place} {problem['severity']}[{problem['code']}]: {problem['message']}{hint}"


def _title(change: dict[str, Any]) -> str:
    notes = [word for word in ("binary", "clipped") if change[word]]
    return f"{change['kind']}: {change['path']}" + (f" ({', '.join(notes)})" if notes else "")


def _folded(title: str, text: str, is_open: bool = False) -> str:
    if not text:
        return f"<div>{escape(title)}</div>"
    attribute = " open" if is_open else ""
    summary = f"<summary>{escape(title)}</summary>"
    return f"<details{attribute}>{summary}{preformatted(_cut(text))}</details>"


def _cut(text: str) -> str:
    """The first lines of a long text."""
    lines = text.split("\n")
    more = [f"… {len(lines) - MAX_LINES} more lines"] if len(lines) > MAX_LINES else []
    shown = (line if len(line) <= MAX_LINE else line[:MAX_LINE] + "…" for line in lines[:MAX_LINES])
    return "\n".join([*shown, *more])
