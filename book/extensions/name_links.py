"""Names of code that lead to the reference.

In the reference every `name` in a docstring leads to where that name is described. So do the names
in a lesson's table "What you can use now", and on the book's pages whole names such as `qt.GPT`.
A name that is described nowhere stays as it is; so does a type in a signature.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.domains.python import ObjectEntry, PythonDomain
from sphinx.environment import BuildEnvironment
from sphinx.util.nodes import make_refnode

_NAME = re.compile(r"%?([A-Za-z_]\w*(?:\.\w+)*)(?:\(.*\))?", re.DOTALL)
_ROOTS = ("qt", "tisslang")
_SHORT = {"F": "qt.functional", "nn": "qt.nn"}  # as lessons import them
_TOP = ("class", "exception", "function", "data", "type")  # not methods and attributes
_TABLE = "What you can use now"


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.connect("object-description-transform", _note_home)
    app.connect("missing-reference", _resolve_type)
    app.connect("doctree-resolved", _link)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _note_home(app: Sphinx, domain: str, objtype: str, content: addnodes.desc_content) -> None:
    """`qt.generate` is also found as `qt.generation.generate`, where it is defined.

    Sphinx notes this of classes. Annotations and the lessons' tables write the one or the other.
    """
    if domain != "py" or objtype != "function" or not isinstance(content.parent, addnodes.desc):
        return
    for signature in content.parent.findall(addnodes.desc_signature):
        module, name = signature.get("module"), signature.get("fullname")
        value = getattr(__import__(module, fromlist=["_"]), name, None) if module else None
        home = f"{getattr(value, '__module__', module)}.{name}"
        if signature["ids"] and home != f"{module}.{name}":
            python = app.env.domains.python_domain
            python.note_object(home, objtype, signature["ids"][0], True, location=signature)


def _resolve_type(
    app: Sphinx, env: BuildEnvironment, node: addnodes.pending_xref, content: nodes.Element
) -> nodes.Node | None:
    """A type in a signature, as its source writes it: where `Tensor` or `Array` is described.

    Most that are not ours have their description elsewhere, and are no fault of the page.
    """
    if node.get("refdomain") != "py" or "refexplicit" in node:  # the latter: a person wrote it
        return None
    python, name = env.domains.python_domain, node["reftarget"]
    ending = "." + name.rpartition(".")[2]
    found = [whole for whole, entry in python.objects.items() if whole.endswith(ending)
             and entry.objtype in ("class", "exception", "type")]  # fmt: skip
    if len({python.objects[whole].node_id for whole in found}) != 1:
        return content
    entry = python.objects[found[0]]
    return make_refnode(
        app.builder, node["refdoc"], entry.docname, entry.node_id, content, found[0]
    )


def _link(app: Sphinx, tree: nodes.document, page: str) -> None:
    python = app.env.domains.python_domain
    modules = [name for name, module in python.modules.items() if module.docname == page]
    for literal in list(tree.findall(nodes.literal)):
        match = _NAME.fullmatch(literal.astext())
        if not match or _is_taken(literal):
            continue
        around = [*_places(literal), *modules] if page.startswith("book/api/") else []
        if not around and _in_table(literal):
            around = list(_ROOTS)
        if (found := find(python, match[1], around)) and literal.parent:
            name, entry = found
            reference = make_refnode(
                app.builder, page, entry.docname, entry.node_id, literal.deepcopy(), name
            )
            literal.replace_self(reference)


def find(python: PythonDomain, name: str, around: list[str]) -> tuple[str, ObjectEntry] | None:
    """What a name means: one inside of the places `around`, the nearest first, or a whole one."""
    first, dot, rest = name.partition(".")
    if first in _SHORT and dot:
        name = f"{_SHORT[first]}.{rest}"
    whole_names = [f"{place}.{name}" for place in around]
    if name.startswith(tuple(f"{root}." for root in _ROOTS)):
        whole_names.append(name)
    for whole in [*whole_names, *_described_as(python, whole_names)]:
        entry = python.objects.get(whole)
        # `data` may be an attribute; it never means the module of that name.
        if entry and (entry.objtype != "module" or "." in name):
            return whole, entry
    return _only_one(python, name, around[-1].partition(".")[0]) if around else None


def _described_as(python: PythonDomain, whole_names: list[str]) -> Iterator[str]:
    """`qt.training.Trainer.run` is described as `qt.Trainer.run`, because its class is."""
    for whole in whole_names:
        owner, _, member = whole.rpartition(".")
        if entry := python.objects.get(owner):
            yield f"{entry.node_id}.{member}"


def _only_one(python: PythonDomain, name: str, root: str) -> tuple[str, ObjectEntry] | None:
    """`Trainer` or `open_adapter` wherever it is described, if no two of a library are called so.

    A name that is a plain English word means too many other things.
    """
    if name.islower() and "_" not in name:
        return None
    found = {
        entry.node_id: (whole, entry)
        for whole, entry in python.objects.items()
        if whole.endswith(f".{name}") and whole.startswith(f"{root}.") and entry.objtype in _TOP
    }
    return next(iter(found.values())) if len(found) == 1 else None


def _places(node: nodes.Node) -> Iterator[str]:
    """The class and the module in whose description a node stands."""
    while node.parent:
        node = node.parent
        if isinstance(node, addnodes.desc) and node.get("domain") == "py":
            signature = next(node.findall(addnodes.desc_signature))
            module, name = signature.get("module"), signature.get("fullname", "")
            yield f"{module}.{name}"
            if "." in name:
                yield f"{module}.{name.rpartition('.')[0]}"
            yield module


def _is_taken(node: nodes.Node) -> bool:
    """Whether it stands in a link or a heading, or names the object whose description it is in."""
    while node.parent:
        node = node.parent
        if isinstance(node, nodes.reference | nodes.title | addnodes.desc_signature):
            return True
    return False


def _in_table(node: nodes.Node) -> bool:
    """Whether it stands in the first column of a lesson's table; the second is PyTorch's."""
    is_ours = False
    while node.parent:
        if isinstance(node, nodes.entry):
            is_ours = node.parent.index(node) == 0
        node = node.parent
        if isinstance(node, nodes.section):
            return is_ours and node[0].astext() == _TABLE
    return False
