"""Widgets in a stored notebook: named by their cells, the same bytes at every run."""

from uuid import uuid4

import execute
import nbformat
import pytest
import widget_state
from nbformat import NotebookNode

pytest.importorskip("anywidget")

SOURCE = """
import qt.viz
from IPython.display import display
forgotten = qt.viz.attention_view([[[[1.0]]]], ["a"], "Never shown")
display(qt.viz.attention_view([[[[1.0]]]], ["a"], "One"))
qt.viz.attention_view([[[[1.0]]]], ["b"], "Two")
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[NotebookNode]:
    """The same notebook, run twice."""
    path = tmp_path_factory.mktemp("notebook") / "a.ipynb"
    notebooks = []
    for _ in range(2):
        cell = nbformat.v4.new_code_cell(SOURCE, id="c7")
        notebooks.append(execute.run(nbformat.v4.new_notebook(cells=[cell]), path))
    return notebooks


def test_two_runs_store_the_same(runs: list[NotebookNode]) -> None:
    ids = [set(run.metadata.widgets[widget_state.STATE]["state"]) for run in runs]
    assert not ids[0] & ids[1], "Jupyter itself names models anew at each run"
    for run in runs:
        execute.without_traces(run)
    one, other = map(nbformat.writes, runs)
    assert one == other
    nbformat.validate(runs[0])


def test_what_is_shown_is_kept_and_a_picture_follows_it(runs: list[NotebookNode]) -> None:
    notebook = runs[0]
    execute.without_traces(notebook)
    kinds = [sorted(output.data) for output in notebook.cells[0].outputs]
    picture = ["image/png", "text/plain"]
    assert kinds == [[widget_state.VIEW], picture, [widget_state.VIEW], picture]
    state = notebook.metadata.widgets[widget_state.STATE]["state"]
    assert sorted(state) == ["c7_0", "c7_0_0", "c7_1", "c7_1_0"]
    assert [state[name]["state"].get("title") for name in ("c7_0", "c7_1")] == ["One", "Two"]
    assert state["c7_0"]["state"]["layout"] == "IPY_MODEL_c7_0_0"
    assert None not in state["c7_0_0"]["state"].values()
    assert "Never shown" not in nbformat.writes(notebook).split('"source"')[0]


def with_view(model: str, state: dict[str, object] | None) -> NotebookNode:
    output = nbformat.v4.new_output(
        "display_data", {widget_state.VIEW: {"model_id": model}, "text/plain": "a widget"}
    )
    cell = nbformat.v4.new_code_cell("", outputs=[output], id="c1")
    notebook = nbformat.v4.new_notebook(cells=[cell])
    if state is not None:
        model_state = {"model_name": "AnyModel", "model_module": "anywidget", "state": state}
        stored = {"version_major": 2, "version_minor": 0, "state": {model: model_state}}
        notebook.metadata.widgets = nbformat.from_dict({widget_state.STATE: stored})
    return notebook


def test_a_closed_widget_leaves_its_text() -> None:
    notebook = with_view(uuid4().hex, None)
    widget_state.tidy(notebook)
    assert list(notebook.cells[0].outputs[0].data) == ["text/plain"]
    assert "widgets" not in notebook.metadata


def test_times_of_steps_alone_change_nothing() -> None:
    """As `make notebooks` keeps an output in which nothing but a time differs."""
    before, same, other = (
        with_view(uuid4().hex, {"steps": [{"seconds": seconds, "state": state}]})
        for seconds, state in ((0.5, "passed"), (0.7, "passed"), (0.7, "failed"))
    )
    for notebook in (before, same, other):
        execute.without_traces(notebook)
    for notebook in (same, other):
        execute.keep_times(notebook, before)
    assert same.metadata == before.metadata
    state = other.metadata.widgets[widget_state.STATE]["state"]["c1_0"]["state"]
    assert state["steps"] == [{"seconds": 0.7, "state": "failed"}]
