"""Language models behind PROMPT_AGENT: one adapter for each kind, chosen by `--agent`.

What needs NumPy or the network is loaded when it is asked for.
"""

from tisslang.adapters.adapter import CHOICES, LanguageModelAdapter, Reply
from tisslang.adapters.without_model import Canned, Echo, NoModel

__all__ = ["CHOICES", "LanguageModelAdapter", "Reply", "open_adapter"]


def open_adapter(spec: str) -> LanguageModelAdapter:
    """The adapter that a text such as `echo` or `canned:replies.jsonl` means.

    Raises `ValueError` for another text, a file of replies that cannot be read, a checkpoint that
    cannot be loaded, a URL or a key that cannot be used.
    """
    if spec == "none":
        return NoModel()
    if spec == "echo":
        return Echo()
    name, _, where = spec.partition(":")
    if name == "https" and where.startswith("//"):
        name = "http"
    forms = {form.partition(":")[0]: form for form in CHOICES if ":" in form}
    if name not in forms:
        shown = spec if len(spec) <= 80 else spec[:79] + "…"
        raise ValueError(f"unknown agent {shown!r}: choose from {', '.join(CHOICES)}")
    if not where:
        raise ValueError(f"the agent {name!r} is not complete: write {forms[name]}")
    if name == "canned":
        return Canned(where)
    if name == "qt":
        return _open_checkpoint(where)
    from tisslang.adapters.chat import ChatServer

    return ChatServer(spec if where.startswith("//") else where)


def _open_checkpoint(path: str) -> LanguageModelAdapter:
    try:
        from tisslang.adapters.qt_model import open_checkpoint
    except ImportError as error:
        raise ValueError(f"the agent 'qt' needs NumPy: {error}") from None
    return open_checkpoint(path)
