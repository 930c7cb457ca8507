"""Language models behind PROMPT_AGENT: one adapter for each kind, chosen by `--agent`.

What needs NumPy or the network is loaded when it is asked for.
"""

from tisslang.adapters.adapter import CHOICES, LanguageModelAdapter, Reply
from tisslang.adapters.without_model import Canned, Echo, NoModel

__all__ = ["CHOICES", "LanguageModelAdapter", "Reply", "open_adapter", "read_spec"]


def open_adapter(spec: str) -> LanguageModelAdapter:
    """The adapter that a text such as `echo` or `canned:replies.jsonl` means.

    Raises `ValueError` for another text, a file of replies that cannot be read, a checkpoint that
    cannot be loaded, a URL or a key that cannot be used.
    """
    kind, where = read_spec(spec)
    if kind == "none":
        return NoModel()
    if kind == "echo":
        return Echo()
    if kind == "canned":
        return Canned(where)
    if kind == "qt":
        return _open_checkpoint(where)
    from tisslang.adapters.chat import ChatServer

    return ChatServer(where)


def read_spec(spec: str) -> tuple[str, str]:
    """The kind of an adapter, and where its model is; `ValueError` for a text that is no spec."""
    if spec in ("none", "echo"):
        return spec, ""
    kind, _, where = spec.partition(":")
    if kind in ("http", "https") and where.startswith("//"):
        kind, where = "http", spec
    forms = {form.partition(":")[0]: form for form in CHOICES if ":" in form}
    if kind not in forms:
        shown = spec if len(spec) <= 80 else spec[:79] + "…"
        raise ValueError(f"unknown agent {shown!r}: choose from {', '.join(CHOICES)}")
    if not where:
        raise ValueError(f"the agent {kind!r} is not complete: write {forms[kind]}")
    return kind, where


def _open_checkpoint(path: str) -> LanguageModelAdapter:
    try:
        from tisslang.adapters.qt_model import open_checkpoint
    except ImportError as error:
        raise ValueError(f"the agent 'qt' needs NumPy: {error}") from None
    return open_checkpoint(path)
