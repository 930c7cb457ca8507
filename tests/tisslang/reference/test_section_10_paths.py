"""Section 10.1: paths."""

import os
from pathlib import Path
from typing import Any

import pytest
from conformance import run, stopped_by
from conformance_runs import attempt, tiss, write

USES = {
    "READ": "READ {path} AS v",
    "WRITE": "WRITE {path} <<W\nx\nW",
    "MKDIR": "MKDIR {path}",
    "DELETE": "DELETE {path}",
    "EXISTS": "IF FILE {path} EXISTS {{ LOG 1 }}",
    "@cwd": '@cwd {path}\nRUN "true"',
}
CHANGES = ("WRITE", "MKDIR", "DELETE")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project between neighbours, with links of all kinds."""
    root = tmp_path / "root"
    (root / "sub/deep").mkdir(parents=True)
    (root / "file").write_text("file")
    (root / "sub/file").write_text("sub/file")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/file").write_text("outside")
    (root / "out").symlink_to("../outside")
    (root / "out-absolute").symlink_to(tmp_path / "outside")
    (root / "sub/up").symlink_to("../..")
    (root / "chain").symlink_to("out")
    (root / "out-file").symlink_to("../outside/file")
    (root / "dangling-out").symlink_to("../outside/nothing")
    (root / "deep").symlink_to("sub/deep")
    (root / "inside-absolute").symlink_to(root / "sub")
    (root / "around").symlink_to("../root/sub")
    return root


def outcome(use: str, path: str, root: Path, **options: Any) -> str | None:
    return stopped_by(run(USES[use].format(path=path), root, **options))


REFUSED = [
    *("", "/", "/etc/passwd", "//x", "~", "~/x", "~root", "~root/x", "a\\b", "\\x", "x\\"),
    *("C:", "C:/x", "C:x", "z:/x", "..", "../x", "../outside/file", "sub/../../x", "a/../../b"),
    *("missing/../../x", "out/file", "out-absolute/file", "sub/up", "sub/up/outside/file"),
    *("chain/file", "deep/../../..", "./../outside"),
]


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("path", REFUSED)
def test_a_path_that_is_refused(root: Path, use: str, path: str) -> None:
    if (use, path) == ("DELETE", "sub/up"):
        return  # the last component of DELETE is not resolved: the link inside the root goes
    assert outcome(use, f"'{path}'", root) == "security"
    assert sorted(os.listdir(root.parent)) == ["outside", "root"]
    assert (root.parent / "outside/file").read_text() == "outside"


@pytest.mark.parametrize("use", USES)
def test_nul_is_refused(root: Path, use: str) -> None:
    text = "RUN 'printf \"a\\\\000b\"'\nVAR nul = LAST_RUN.STDOUT\n" + USES[use].format(
        path='"{{nul}}"'
    )
    report = run(text, root)
    assert report["variables"]["nul"] == "a\0b"
    assert (stopped_by(report), report["exit_code"]) == ("security", 5)


@pytest.mark.parametrize("use", ["READ", "WRITE", "EXISTS"])
@pytest.mark.parametrize("path", ["out-file", "dangling-out"])
def test_a_link_that_leads_out_is_refused(root: Path, use: str, path: str) -> None:
    assert outcome(use, f'"{path}"', root) == "security"
    assert os.listdir(root.parent / "outside") == ["file"]


@pytest.mark.parametrize("use", ["READ", "WRITE", "MKDIR", "@cwd"])
@pytest.mark.parametrize("path", ["x" * 300, "circle", "circle/x", "one", "one/x"])
def test_names_too_long_and_links_in_a_circle_are_io(root: Path, use: str, path: str) -> None:
    (root / "circle").symlink_to("circle")
    (root / "one").symlink_to("two")
    (root / "two").symlink_to("one")
    assert outcome(use, f'"{path}"', root) == "io"
    assert not run(f'IF FILE "{path}" EXISTS {{ LOG 1 }}', root)["log"]


def test_a_refusal_cannot_be_caught(root: Path) -> None:
    for use in USES.values():
        report = run(f"TRY {{\n{use.format(path=repr('../x'))}\n}} CATCH {{ }}", root)
        assert (stopped_by(report), report["exit_code"]) == ("security", 5)


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("file", "file"),
        ("./file", "file"),
        (".//./file", "file"),
        ("sub//file", "sub/file"),
        ("sub/./file", "sub/file"),
        ("sub/../file", "file"),
        ("sub/../sub/file", "sub/file"),
        ("deep/../file", "sub/file"),  # from where the link led
        ("missing/../file", "file"),
        ("missing/a/../../file", "file"),
        ("inside-absolute/file", "sub/file"),
        ("around/file", "sub/file"),
        ("sub/up/root/file", "file"),  # what counts is where it ends
    ],
)
def test_a_path_that_leads_to_a_file(root: Path, path: str, content: str) -> None:
    report = run(f'READ "{path}" AS v\nASSERT FILE "{path}" EXISTS', root)
    assert report["variables"] == {"v": content}
    assert report["status"] == "passed"


@pytest.mark.parametrize(
    "path", ["...", "..x", "x..", "a~", "sub/~x", "ab:c", "1:x", "sub/C:x", " x"]
)
def test_a_name_that_only_looks_refused(root: Path, path: str) -> None:
    assert outcome("WRITE", f"'{path}'", root) is None
    assert (root / path).read_text() == "x\n"


def test_the_root_itself_exists(root: Path) -> None:
    for path in (".", "./", "sub/.."):
        assert run(f'ASSERT FILE "{path}" EXISTS', root)["status"] == "passed"


def test_a_dotted_step_back_removes_a_missing_component_before_anything_is_made(root: Path) -> None:
    before = sorted(os.listdir(root))
    assert attempt('WRITE "missing/../made" <<W\nW\nMKDIR "gone/../made-too"', root) is None
    assert sorted(os.listdir(root)) == sorted([*before, "made", "made-too"])


def test_a_write_through_a_link_lands_where_it_led(root: Path) -> None:
    assert attempt('WRITE "deep/../made" <<W\nW', root) is None
    assert (root / "sub/made").exists()


def test_delete_resolves_all_but_the_last_component(root: Path) -> None:
    assert attempt('DELETE "out"\nDELETE "sub/up"\nDELETE "out-file"', root) is None
    assert (root.parent / "outside/file").exists()
    assert not os.path.lexists(root / "out")
    assert attempt('DELETE "around/file"', root) is None
    assert not (root / "sub/file").exists()


def test_delete_with_a_slash_or_a_dot_at_the_end(root: Path) -> None:
    assert attempt('DELETE "deep/"', root) is None
    assert not os.path.lexists(root / "deep")
    assert (root / "sub/deep").is_dir()
    assert attempt('DELETE "sub/deep/."', root) is None
    assert not (root / "sub/deep").exists()


def test_delete_with_a_step_back_at_the_end_resolves_it(root: Path) -> None:
    (root / "empty").mkdir()
    assert attempt('DELETE "empty/missing/.."', root) is None
    assert not (root / "empty").exists()
    assert attempt('DELETE "deep/.."', root) == "io"  # sub, which is not empty
    assert os.path.lexists(root / "deep")


def test_a_root_that_is_a_link_is_its_real_path(root: Path) -> None:
    other = root.parent / "other"
    other.symlink_to("root")
    report = run('READ "inside-absolute/file" AS v', other)
    assert report["variables"] == {"v": "sub/file"}
    assert report["root"] == str(root.resolve())


def test_the_root_is_the_current_directory_unless_given(root: Path) -> None:
    write(root / "sub", 'READ "file" AS v\nLOG v')
    done = tiss("run", "plan.tiss", cwd=root / "sub")
    assert "sub/file" in done.stdout
    done = tiss("run", "sub/plan.tiss", cwd=root)  # not where the script lies
    assert "sub/file" not in done.stdout
    done = tiss("run", "sub/plan.tiss", "--root", "sub", cwd=root)
    assert "sub/file" in done.stdout


PROTECTED = [".git", ".GIT", ".Git/config", ".git/hooks/x", "sub/.git/x", "a/b/.git", ".tiss"]
PROTECTED += [".Tiss/x", "sub/.tiss/x", ".ti\u017f\u017f", "sub/../.git/x", "new/.git/x"]


@pytest.mark.parametrize("use", CHANGES)
@pytest.mark.parametrize("path", PROTECTED)
def test_version_control_is_not_changed(root: Path, use: str, path: str) -> None:
    before = sorted(os.listdir(root))
    assert outcome(use, f'"{path}"', root) == "security"
    assert sorted(os.listdir(root)) == before


@pytest.mark.parametrize("use", CHANGES)
def test_a_link_to_version_control_does_not_help(root: Path, use: str) -> None:
    for name in (".git", "sub/.GIT"):
        (root / name / "hooks").mkdir(parents=True)
        (root / name / "hooks/old").write_text("old")
    (root / "harmless").symlink_to(".git")
    (root / "harmless-too").symlink_to("sub/.GIT/hooks")
    for path in ("harmless/hooks/old", "harmless-too/old", "harmless/new", "harmless-too/new"):
        assert outcome(use, f'"{path}"', root) == "security"
    assert os.listdir(root / ".git") == ["hooks"]
    assert os.listdir(root / ".git/hooks") == ["old"]


@pytest.mark.parametrize("path", [".gitignore", "git", ".git2/x", "x.git/y", ".tissue", "a.tiss"])
def test_other_names_are_free(root: Path, path: str) -> None:
    assert outcome("WRITE", f'"{path}"', root) is None


def test_version_control_may_be_read(root: Path) -> None:
    (root / ".git").mkdir()
    (root / ".git/HEAD").write_text("ref")
    (root / ".tiss").mkdir()
    text = 'READ ".git/HEAD" AS v\nASSERT FILE ".git/HEAD" EXISTS\nASSERT FILE ".tiss" EXISTS'
    assert run(text, root)["status"] == "passed"


def test_a_link_to_version_control_may_be_deleted_but_not_in_it(root: Path) -> None:
    """The link itself lies outside `.git`: its resolved path has no such component."""
    (root / ".git").mkdir()
    (root / "link").symlink_to(".git")
    assert attempt('DELETE "link"', root) is None
    assert (root / ".git").is_dir()


def test_a_literal_path_is_judged_before_anything_else_of_its_command(root: Path) -> None:
    report = run('MKDIR "made"\nWRITE "../x" <<W\nW', root)
    assert (report["error"]["kind"], report["error"]["line"]) == ("security", 2)
    assert report["error"]["code"] == "E301"
