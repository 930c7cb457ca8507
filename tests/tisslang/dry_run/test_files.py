"""What is remembered of files that the plan itself writes, makes and deletes."""

import os
from pathlib import Path

import pytest
from dry_runs import dry, last_status
from plans import run

W = 'WRITE "{}" <<W\n{}\nW\n'


def read(path: str) -> str:
    return f'READ "{path}" AS x\nLOG x\n'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (W.format("f", "a") + read("f"), "a\n"),
        (W.format("f", "a") + W.format("f", "b") + read("f"), "b\n"),
        (W.format("d/e/f", "a") + read("d/./e//f"), "a\n"),
        (W.format("d/f", "a") + read("d/../d/f"), "a\n"),
        (W.format("f", "a") + W.format("g", "b") + read("f"), "a\n"),
        (W.format("f", "a") + 'LOG "-"\nPAUSE "p"\n' + read("f"), "a\n"),
        (W.format("f", "a") + 'PROMPT_AGENT "p"\n' + read("f"), "a\n"),
        (read("f"), "<unknown:x>"),
        (W.format("f", "a") + 'RUN "true"\n' + read("f"), "<unknown:x>"),
        ('RUN "true"\n' + W.format("f", "a") + read("f"), "a\n"),
        (W.format("F", "a") + read("f"), "<unknown:x>"),
        (
            W.format("f", "a") + 'READ "n" AS n\n' + W.format("{{n}}", "b") + read("f"),
            "<unknown:x>",
        ),
    ],
)
def test_a_read_knows_what_was_written(text: str, expected: str, tmp_path: Path) -> None:
    report = dry(text, tmp_path)
    assert report["exit_code"] == 0, report["error"]
    assert report["log"][-1] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "unknown"),
        (W.format("p", "a"), "would_pass"),
        (W.format("p/q/r", "a"), "would_pass"),
        ('MKDIR "p"\n', "would_pass"),
        ('MKDIR "p/q"\n', "would_pass"),
        ('MKDIR "q"\n', "unknown"),
        ('DELETE "p"\n', "would_fail"),
        (W.format("p", "a") + 'DELETE "p"\n', "would_fail"),
        ('DELETE "p"\nMKDIR "p"\n', "would_pass"),
        ('DELETE "p"\nRUN "x"\n', "unknown"),
        ('MKDIR "p"\nRUN "x"\n', "unknown"),
        ('MKDIR "p"\nREAD "n" AS n\nDELETE "{{n}}"\n', "unknown"),
        ('READ "p" AS x\n', "unknown"),
    ],
)
def test_exists_knows_what_was_made_and_deleted(text: str, expected: str, tmp_path: Path) -> None:
    assert last_status(text + 'ASSERT FILE "p" EXISTS\n', tmp_path) == expected
    opposite = {"would_pass": "would_fail", "would_fail": "would_pass"}.get(expected, expected)
    assert last_status(text + 'ASSERT FILE "p" NOT EXISTS\n', tmp_path) == opposite


def test_what_is_on_the_disk_is_no_answer(tmp_path: Path) -> None:
    """A dry run says what a run would do, perhaps elsewhere; only safety looks at the disk."""
    (tmp_path / "p").write_text("a")
    assert last_status('ASSERT FILE "p" EXISTS\n', tmp_path) == "unknown"
    assert dry(read("p"), tmp_path)["log"] == ["<unknown:x>"]


@pytest.mark.parametrize(
    "text",
    [
        'DELETE "p"\nREAD "p" AS x\n',
        'DELETE "p"\nDELETE "p"\n',
        'DELETE "p"\nREAD "p/q" AS x\n',
        'DELETE "p"\nDELETE "p/q"\n',
        'MKDIR "p"\nREAD "p" AS x\n',
        'MKDIR "p"\n' + W.format("p", "a"),
        W.format("p/q", "a") + W.format("p", "a"),
        W.format("p/q", "a") + 'DELETE "p"\n',
        W.format("p", "a") + 'MKDIR "p"\n',
        W.format("p", "a") + 'MKDIR "p/q"\n',
        W.format("p", "a") + W.format("p/q/r", "a"),
        W.format("p", "a") + 'READ "p/q" AS x\n',
        W.format("p/", "a"),
        W.format(".", "a"),
        W.format("p", "a") + '@cwd "p"\nRUN "x"\n',
        'DELETE "p"\n@cwd "p"\nRUN "x"\n',
    ],
)
def test_what_is_certain_to_fail_fails_as_in_a_run(text: str, tmp_path: Path) -> None:
    report = dry(text, tmp_path)
    assert (report["exit_code"], report["error"]["kind"]) == (4, "io")
    assert report["plan"][-1]["status"] == "would_fail"
    if text.startswith("DELETE"):
        (tmp_path / "p").write_text("old")
    assert run(text, tmp_path)["error"] == report["error"]


@pytest.mark.parametrize(
    "text",
    [
        'DELETE "p"\n' + W.format("p/q", "a") + 'READ "p/q" AS x\n',
        W.format("p", "a") + 'DELETE "p"\nMKDIR "p"\n',
        W.format("p/q", "a") + 'DELETE "p/q"\nDELETE "p"\n',
        W.format("p", "a") + 'RUN "x"\nMKDIR "p"\n',
        'MKDIR "p"\nMKDIR "p"\n',
        'MKDIR "."\nMKDIR "p/.."\n',
    ],
)
def test_what_can_go_well_passes(text: str, tmp_path: Path) -> None:
    assert dry(text, tmp_path)["exit_code"] == 0


def test_two_names_of_one_file(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "dangling").symlink_to("real/f")
    for name in ("link/f", "dangling", "real/../real/f", "link/../real/f"):
        report = dry(W.format(name, "a") + read("real/f"), tmp_path)
        assert report["log"] == ["a\n"]
    assert list((tmp_path / "real").iterdir()) == []


def test_a_deleted_link_leads_nowhere(tmp_path: Path) -> None:
    """DELETE removes the link and not its target; what comes under its name is another file."""
    (tmp_path / "link").symlink_to("f")
    deleted = W.format("f", "a") + 'DELETE "link"\n'
    assert dry(deleted + read("f"), tmp_path)["log"] == ["a\n"]
    report = dry(deleted + W.format("link", "b") + read("f"), tmp_path)
    assert report["log"] == ["<unknown:x>"]  # nothing wrong is said
    assert last_status(deleted + 'ASSERT FILE "link" EXISTS\n', tmp_path) == "unknown"


def test_a_deleted_link_to_the_outside_is_no_way_out(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    os.symlink(tmp_path, root / "away")
    write = W.format("away", "a") + W.format("away/f", "a")
    assert dry(write, root)["exit_code"] == 5
    assert dry('DELETE "away"\nMKDIR "away"\n' + W.format("away/f", "a"), root)["exit_code"] == 0
    # …whichever way is taken, and whatever runs in between.
    maybe = 'RUN "x"\nIF LAST_RUN.STDOUT IS_EMPTY { DELETE "away" }\nRUN "x"\n'
    assert dry(maybe + W.format("away/f", "a"), root)["exit_code"] == 0


@pytest.mark.parametrize(
    ("link", "changes", "expected"),
    [
        ("ln -s f g", W.format("f", "a") + W.format("g", "b"), "b\n"),
        ("ln -s . g", W.format("f", "a") + W.format("g/f", "b"), "b\n"),
        ("mkdir d e; ln -s ../d e/g", W.format("f", "a") + W.format("e/g/../f", "b"), "b\n"),
        ("mkdir d; ln -s d/e g; mkdir d/e", W.format("f", "a") + W.format("g/../f", "b"), "a\n"),
        ("rm old; mkdir old", W.format("f", "a") + W.format("old/f", "b"), "a\n"),
    ],
)
def test_behind_a_run_two_paths_may_be_one_file(
    link: str, changes: str, expected: str, tmp_path: Path
) -> None:
    (tmp_path / "old").symlink_to(".")
    text = f'RUN "{link}"\n{changes}{read("f")}'
    assert dry(text, tmp_path)["log"] == ["<unknown:x>"]
    assert run(text, tmp_path)["log"] == [expected]
