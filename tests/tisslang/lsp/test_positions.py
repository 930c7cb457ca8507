"""Columns in the units that both sides agree on, whatever characters stand before them."""

from pathlib import Path

import pytest
from editor import editor
from lsprotocol import types

TEXT = "\ufeff# é\u2028日\r\nVAR x = '😀é'  # 😀\r\nLOG \"😀{{x}} {{y}}\" # \x0b\x85\r\nLGO 😀"


@pytest.mark.parametrize(
    ("encodings", "chosen"),
    [
        (None, "utf-16"),
        (["utf-16"], "utf-16"),
        (["utf-8", "utf-16"], "utf-8"),
        (["utf-32", "utf-16"], "utf-32"),
        (["utf-7"], "utf-16"),
    ],
)
def test_columns(tmp_path: Path, encodings: list[str] | None, chosen: str) -> None:
    width = {"utf-8": 4, "utf-16": 2, "utf-32": 1}[chosen]
    uri = (tmp_path / "plan.tiss").as_uri()
    with editor(tmp_path, encodings) as here:
        assert here.server_capabilities is not None
        assert here.server_capabilities.position_encoding == chosen
        here.open(uri, TEXT)
        found = {each.code: str(each.range) for each in here.problems(uri)}
        assert found["T110"] == f"2:{11 + width}-2:{16 + width}"
        assert found["T002"] == "3:0-3:3"
        references = types.ReferenceParams(
            context=types.ReferenceContext(True), **here.at(uri, 2, 7 + width)
        )
        places = here.ask(here.client.text_document_references_async(references))
        assert [str(x.range) for x in places] == ["1:4-1:5", f"2:{7 + width}-2:{8 + width}"]
        # an edit behind all that: `y` becomes `x`
        here.type(uri, 2, 13 + width, "x", 1)
        assert "T110" not in [each.code for each in here.problems(uri)]
        assert "T002" in [each.code for each in here.problems(uri)]


def test_carriage_returns_alone_are_line_ends_for_editors_only(tmp_path: Path) -> None:
    uri = (tmp_path / "plan.tiss").as_uri()
    with editor(tmp_path) as here:
        here.open(uri, "LOG 1\rLOG 2\rLOG 3")
        (found,) = here.problems(uri)
        assert (found.code, str(found.range)) == ("T009", "0:5-1:0")
        here.type(uri, 0, 5, "\n")  # now it is a LF, and behind it a CR on a line of its own
        assert [str(x.range) for x in here.problems(uri) if x.code == "T009"] == ["1:0-2:0"]
