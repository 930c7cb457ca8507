"""The state of the widgets that a stored notebook shows, the same bytes at every run.

Jupyter writes it into the notebook's metadata: with it the book, and JupyterLab before anything has
run, show the widget itself.
"""

import json
import re
from typing import Any

import nbformat

NotebookNode = nbformat.NotebookNode

STATE = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"
PICTURES = ("image/png", "image/svg+xml", "text/html")
REFERENCE = re.compile(r"IPY_MODEL_(\w+)")  # how a model names another one


def tidy(notebook: NotebookNode) -> None:
    """Name the models by their cells, and forget those that no output shows."""
    stored = notebook.metadata.pop("widgets", {}).get(STATE, {})
    models = stored.get("state", {})
    names: dict[str, str] = {}

    def give_name(model: str, name: str) -> None:
        """Name a model, and those that it refers to after it."""
        if model in models and model not in names:
            names[model] = name
            inner = REFERENCE.findall(json.dumps(models[model], sort_keys=True))
            for number, other in enumerate(inner):
                give_name(other, f"{name}_{number}")

    for cell in notebook.cells:
        outputs = cell.get("outputs", [])
        views = [output.data for output in outputs if VIEW in output.get("data", {})]
        for number, data in enumerate(views):
            model = data[VIEW]["model_id"]
            give_name(model, f"{cell.id}_{number}")
            if model in names:
                data[VIEW]["model_id"] = names[model]
            else:
                del data[VIEW]  # the widget was closed
        if views:
            cell.outputs = [part for output in outputs for part in parts(output)]
    if names:
        text = json.dumps({names[model]: without_defaults(models[model]) for model in names})
        state = json.loads(REFERENCE.sub(lambda at: f"IPY_MODEL_{names[at[1]]}", text))
        notebook.metadata.widgets = nbformat.from_dict({STATE: {**stored, "state": state}})


def parts(output: NotebookNode) -> list[NotebookNode]:
    """A widget and its picture as two outputs: where no script runs, the second one shows."""
    data = output.get("data", {})
    if VIEW not in data or not any(kind in data for kind in PICTURES):
        return [output]
    rest = {kind: data.pop(kind) for kind in list(data) if kind != VIEW}
    about, output.metadata = output.metadata, nbformat.from_dict({})
    return [output, nbformat.v4.new_output("display_data", rest, metadata=about)]


def without_defaults(model: dict[str, Any]) -> dict[str, Any]:
    """Leave out a layout's many None, which is what an absent value means there."""
    if model["model_name"] != "LayoutModel":
        return model
    return {**model, "state": {k: v for k, v in model["state"].items() if v is not None}}


def comparable(notebook: NotebookNode) -> str:
    """The state without the times of a plan's steps."""
    text = json.dumps(notebook.metadata.get("widgets"), sort_keys=True)
    return re.sub(r'"seconds": [0-9.]+', '"seconds": 0', text)
