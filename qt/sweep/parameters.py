"""The settings of a notebook: read from its cell of parameters, and held to what they may be.

Papermill puts its values into a cell of its own after that of the notebook, and only warns of a
wrong name: `-p stepz 500` would train with the steps that it should have changed. The cell after
both calls `read_parameters`, so that a mistake ends the run before anything else happens.
"""

from __future__ import annotations

import ast
import difflib
import math
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import qt
from qt.model import GPTConfig
from qt.training import TrainingConfig

INJECTED = "# Parameters\n"  # how papermill begins its cell
PATHS = ("PAPERMILL_INPUT_PATH", "PAPERMILL_OUTPUT_PATH")  # papermill --inject-paths
TOKENIZERS = ("bpe", "char", "word")
PLAIN = (bool, int, float, str, dict, list, type(None))
NOT_A_RUN = ("metrics_path", *PATHS)  # where things land says nothing of the run itself


class ParameterError(ValueError):
    """A setting that the notebook does not have, or a value that it cannot take."""


class Settings(dict[str, Any]):
    """Name -> value, of all settings; `changed` holds those that were given from outside.

    `reported` says whether papermill runs the notebook: then it is a report, with times and files.
    """

    def __init__(self, defaults: Mapping[str, Any], given: Mapping[str, Any], reported: bool):
        super().__init__({**defaults, **given})
        self.defaults, self.reported = dict(defaults), reported
        self.changed = {
            name: value
            for name, value in given.items()
            if name not in NOT_A_RUN and value != defaults[name]
        }

    def __repr__(self) -> str:
        if not self.changed:
            return f"all {len(self.defaults)} settings as above"
        return "\n".join(
            f"{name} = {value!r}, not {self.defaults[name]!r}"
            for name, value in self.changed.items()
        )

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """For a notebook: a table of what differs from the settings of the notebook."""
        if not self.changed:
            return {"text/plain": repr(self)}
        rows = [
            f"| `{name}` | `{value!r}` | `{self.defaults[name]!r}` |"
            for name, value in self.changed.items()
        ]
        table = "\n".join(["| setting | this run | default |", "|---|---|---|", *rows])
        return {"text/plain": repr(self), "text/markdown": table}


def read_parameters(values: Mapping[str, Any]) -> Settings:
    """The settings that the cells above assign, checked: `read_parameters(globals())`.

    `values["In"]` holds the sources of the cells that were run: IPython keeps them there, unless
    it was told to keep no history; then all plain values are taken for settings.
    `ParameterError` (a `ValueError`) for a name that only papermill's cell has, and for what
    `check` finds.
    """
    histories = [values.get("_ih"), values.get("In")]  # the same, unless papermill gives an In
    history = next((sources for sources in histories if isinstance(sources, list)), [])
    cells = [(source, assigned(source) or []) for source in history]
    own = [i for i, (source, _) in enumerate(cells) if not source.startswith(INJECTED)]
    at = max(own, key=lambda i: (len(cells[i][1]), i), default=0)  # the longest, and its latest run
    if not own or not cells[at][1]:
        return _without_history(values)
    source, names = cells[at]
    defaults = {name: default(source, name, values) for name in names}
    later = [names for source, names in cells[at:] if source.startswith(INJECTED)]
    injected = later[-1] if later else []
    check_names([name for name in injected if name not in PATHS], defaults)
    given = {name: typed(values[name], defaults.get(name)) for name in injected}
    settings = Settings(defaults, given, bool(injected))
    check(settings, given)
    return settings


def _without_history(values: Mapping[str, Any]) -> Settings:
    plain = {
        name: value
        for name, value in values.items()
        if isinstance(value, PLAIN) and not name.startswith("_") and name not in ("In", "Out")
    }
    if not plain:
        raise ParameterError("run the cell of parameters first: it is the first one with code")
    check(plain)
    return Settings(plain, {}, False)


def assigned(source: str) -> list[str] | None:
    """The names that a cell assigns, if it does nothing else; None for any other cell."""
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return None
    names = [
        node.targets[0].id
        for node in body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    ]
    return names if body and len(names) == len(body) else None


def default(source: str, name: str, values: Mapping[str, Any] | None = None) -> Any:
    """What a cell assigns to a name: a literal, or else the value that it has now."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == name:
            try:
                return ast.literal_eval(node.value)
            except ValueError:
                break
    return (values or {}).get(name)


def typed(value: Any, default: Any) -> Any:
    """A text that stands for a number, True, False or None, as that; texts stay texts.

    YAML reads 1e-3 as a text, and a command line has nothing else.
    """
    if not isinstance(value, str) or isinstance(default, str):
        return value
    words = {"true": True, "false": False, "none": None, "null": None}
    if value.lower() in words:
        return words[value.lower()]
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return value


def check_names(names: Iterable[str], known: Iterable[str]) -> None:
    """Raise `ParameterError` for a name that is not known, with the nearest that is."""
    for name in names:
        if name not in (known := list(known)):
            near = difflib.get_close_matches(name, known, 1, cutoff=0.5)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            raise ParameterError(f"there is no parameter {name}: {hint}")


def check(
    settings: Mapping[str, Any], given: Iterable[str] = (), look_for_data: bool = True
) -> None:
    """Hold settings to what `qt` says of them. `ParameterError` with its own words.

    Names that are none of its settings pass: a notebook may have others. A data set is looked for
    on this machine only.
    """
    scaling = settings.get("rope_scaling")
    if not isinstance(scaling, dict | None):
        raise ParameterError(f"rope_scaling must be a dict or None, not {scaling!r}")
    try:
        for kind in (GPTConfig, TrainingConfig):
            _check_fields(settings, {field.name for field in fields(kind)})
        _check_model(settings)
        TrainingConfig.from_dict(settings)
        _check_text(settings, look_for_data)
    except (ValueError, TypeError) as error:
        raise ParameterError(str(error)) from None
    scale = settings.get("sinusoid_scale", 1.0)
    if not isinstance(scale, int | float) or isinstance(scale, bool) or not 0 <= scale < math.inf:
        raise ParameterError(f"sinusoid_scale must be a number of at least 0, not {scale!r}")
    length = settings.get("train_bytes")
    if length is not None:
        if not isinstance(length, int) or isinstance(length, bool) or length < 1:
            raise ParameterError(f"train_bytes must be a whole number or None, not {length!r}")
        if "steps" in given:
            raise ParameterError("steps follow from train_bytes: give one of the two")
    _check_metrics_path(settings.get("metrics_path"))


def _check_fields(settings: Mapping[str, Any], names: set[str]) -> None:
    """Where most of the fields stand, the others must: one of them was written in another way."""
    missing = sorted(names - settings.keys())
    if missing and len(missing) < len(names) / 2:
        near = difflib.get_close_matches(missing[0], settings.keys() - names, 1, cutoff=0.5)
        hint = f": is it {near[0]}?" if near else ""
        raise ParameterError(f"the cell of parameters has no {missing[0]}{hint}")


def _check_model(settings: Mapping[str, Any]) -> None:
    known = {field.name for field in fields(GPTConfig)}
    shape = {name: value for name, value in settings.items() if name in known}
    if shape:
        GPTConfig(**{"vocab_size": 1} | shape)


def _check_text(settings: Mapping[str, Any], look_for_data: bool) -> None:
    kind, size = settings.get("tokenizer", "char"), settings.get("vocab_size")
    if kind not in TOKENIZERS:
        raise ParameterError(f"tokenizer must be {' or '.join(TOKENIZERS)}, not {kind!r}")
    if size is not None and kind != "char":  # it learns one word, and says whether the size will do
        tokenizer: Any = qt.BPETokenizer if kind == "bpe" else qt.WordTokenizer
        tokenizer.train("a", vocab_size=size)
    name = settings.get("dataset", "stories")
    if not isinstance(name, str):
        raise ParameterError(f"dataset must be a name or the path of a text file, not {name!r}")
    if name != "stories" and look_for_data:
        qt.data.load(name)


def _check_metrics_path(path: Any) -> None:
    """A file that can be written at the end of the run: better told before it than after."""
    if not isinstance(path, str | None):
        raise ParameterError(f"metrics_path must be the path of a file or None, not {path!r}")
    if not path:
        return
    try:
        if path.endswith(("/", os.sep)) or Path(path).is_dir():
            raise ParameterError(f"metrics_path must be the path of a file: {path!r} is a folder")
        folder = next(parent for parent in Path(path).absolute().parents if parent.exists())
    except OSError as error:
        raise ParameterError(f"metrics_path {path!r} cannot be: {error.strerror}") from None
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise ParameterError(f"metrics_path {path!r}: nothing can be written into {folder}")


def in_words(settings: Mapping[str, Any]) -> str:
    """Settings in one line, as they are written at the command line: lr=0.001,norm=rmsnorm."""
    return ",".join(f"{name}={value}" for name, value in settings.items())


def as_file_name(settings: Mapping[str, Any], words: str | None = None) -> str:
    """The settings as the name of a file or folder.

    `words` stand for them where all would be too long. A name that does not say everything ends in
    a number that follows from the settings.
    """
    everything = in_words(settings) or "defaults"
    words = everything if words is None else words
    name = re.sub(r"[^\w.,=+-]", "_", words)[:90]
    if name == everything:
        return name
    import hashlib  # here: it takes a while to import

    number = hashlib.sha256(f"{words}\n{everything}".encode()).hexdigest()[:8]
    return f"{name}-{number}"
