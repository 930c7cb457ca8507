"""The notebook's magics, in a real IPython shell."""

import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import CapturedIO, capture_output
from traitlets.config import Config

PLAN = """\
TASK "Greet <Ada> & co"
STEP "Write" {
    WRITE "name.txt" <<W
Ada
W
}
STEP "Check" {
    RUN "cat name.txt; echo '<b>' >&2"
    ASSERT LAST_RUN.STDOUT|trim == "Ada"
    LOG "checked"
}
"""


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InteractiveShell]:
    config = Config()
    config.HistoryManager.enabled = False
    old = os.environ.get("IPYTHONDIR")
    os.environ["IPYTHONDIR"] = str(tmp_path_factory.mktemp("ipython"))
    shell = InteractiveShell.instance(config=config)
    shell.run_cell("%load_ext tisslang")
    yield shell
    InteractiveShell.clear_instance()
    os.environ.pop("IPYTHONDIR")
    if old is not None:
        os.environ["IPYTHONDIR"] = old


@pytest.fixture
def shell(
    session: InteractiveShell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> InteractiveShell:
    monkeypatch.chdir(tmp_path)
    session.reset(new_session=False)
    return session


TIME = re.compile(r" · [0-9.:]+ (s|min|h)\b")  # as in notebooks/nbval_sanitize.cfg


def run(shell: InteractiveShell, cell: str) -> tuple[CapturedIO, Any]:
    with capture_output() as captured:
        result = shell.run_cell(cell)
    return captured, result


def shown(captured: CapturedIO) -> tuple[str, str]:
    """The text and the HTML of the one result that was displayed."""
    (output,) = captured.outputs
    text, html = (
        TIME.sub("", output.data[f"text/{kind}"]).removesuffix("\n") for kind in ("plain", "html")
    )
    return text, html


class Balanced(HTMLParser):
    """Fails on a tag that is not closed in its place."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_plan_that_passes(shell: InteractiveShell, tmp_path: Path) -> None:
    captured, result = run(shell, f"%%tiss --sandbox-profile none -o report\n{PLAN}")
    assert result.success
    assert captured.stdout == "▸ Write\n▸ Check\nchecked\n"
    assert "no sandbox" in captured.stderr
    text, html = shown(captured)
    assert text == (
        "✓ passed: Greet <Ada> & co (2 of 2 steps)\n"
        "  ✓ passed: Write\n"
        "  ✓ passed: Check\n"
        "files written: name.txt"
    )
    page = Balanced(html)
    assert "Greet <Ada> & co" in page.text
    assert "<Ada>" not in html
    assert "<b>" not in html
    for part in ('WRITE "name.txt" (4 bytes)', "exit code 0", "Files written: name.txt"):
        assert part in page.text
    report = shell.user_ns["report"]
    assert report["exit_code"] == 0
    assert report["root"] == str(tmp_path)


def test_steps_have_times(shell: InteractiveShell) -> None:
    captured, _ = run(shell, f"%%tiss --sandbox-profile none\n{PLAN}")
    for data in captured.outputs[0].data.values():
        assert len(TIME.findall(data)) == 3  # of the run, and of each step
    captured, _ = run(shell, "%%tiss\nLOG x")  # is not run
    assert not TIME.search(captured.outputs[0].data["text/plain"])


def test_a_dry_run_shows_the_plan(shell: InteractiveShell, tmp_path: Path) -> None:
    captured, result = run(shell, f"%%tiss --dry-run\n{PLAN}")
    assert result.success
    assert captured.stdout == ""
    text, html = shown(captured)
    assert text.startswith("✓ a dry run, nothing was done: Greet <Ada> & co\n")
    for part in (' 3     WRITE "name.txt"', " 9 ?   ASSERT LAST_RUN", "writes: name.txt"):
        assert part in text
        assert part in Balanced(html).text
    assert list(tmp_path.iterdir()) == []
    captured, _ = run(shell, '%%tiss --dry-run\nREAD "../x" AS x')
    assert shown(captured)[0].startswith("✗ ")


def test_what_an_assertion_compared_is_shown(shell: InteractiveShell) -> None:
    plan = 'VAR x = "a<b"\nASSERT x == "a<b"\nASSERT FILE "y" NOT EXISTS\nASSERT x IS_EMPTY'
    captured, _ = run(shell, f"%%tiss\n{plan}")
    page = Balanced(shown(captured)[1]).text
    assert 'ASSERT x == "a<b" (holds; x is "a<b")' in page
    assert 'ASSERT FILE "y" NOT EXISTS (holds)' in page
    assert 'ASSERT x IS_EMPTY (failed; x is "a<b")' in page


def test_outputs_are_the_same_every_time_and_everywhere(
    shell: InteractiveShell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = PLAN.replace('== "Ada"', '== "Bob"') + 'READ "nope" AS x\n'
    seen = set()
    for plan in (PLAN, failing):
        for name in ("one", "two"):
            (tmp_path / name).mkdir(exist_ok=True)
            monkeypatch.chdir(tmp_path / name)
            captured, _ = run(shell, f"%%tiss --sandbox-profile none\n{plan}")
            text, html = shown(captured)
            seen.add((captured.stdout, captured.stderr, text, html))
            assert str(tmp_path) not in text + html
    assert len(seen) == 2


def test_a_failed_assertion_is_explained_without_a_traceback(shell: InteractiveShell) -> None:
    plan = PLAN.replace('== "Ada"', '== "Bob"') + 'STEP "Later" { STEP "deep" { } }\n'
    captured, result = run(shell, f"%%tiss --sandbox-profile none\n{plan}")
    assert result.success
    assert "Traceback" not in captured.stdout + captured.stderr
    text, html = shown(captured)
    assert text.splitlines()[:4] == [
        "✗ failed: Greet <Ada> & co (1 of 3 steps)",
        "  ✓ passed: Write",
        "  ✗ failed: Check",
        "  - skipped: Later",
    ]
    for part in (
        'error[E101]: expected LAST_RUN.STDOUT|trim == "Bob", but it was "Ada"',
        "--> <cell>:9:5",
        "its exit code: 0",
        "│ Ada",
    ):
        assert part in text
        assert part in Balanced(html).text
    assert "<details open>" in html


def test_a_refused_run_shows_the_way_out(
    shell: InteractiveShell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tisslang.sandbox.backends", list)
    captured, result = run(shell, f"%%tiss\n{PLAN}")
    assert result.success
    text, html = shown(captured)
    assert text.startswith("✗ refused: ")
    for part in ("cannot give the sandbox profile", "--sandbox-profile none", "%%tiss"):
        assert part in text
        assert part in Balanced(html).text
    assert list(tmp_path.iterdir()) == []


def test_a_script_error_is_a_diagnostic_with_a_caret(shell: InteractiveShell) -> None:
    captured, result = run(shell, '%%tiss\nLOG "x"\nRUN "echo')
    assert result.success
    text, html = shown(captured)
    for part in ("error[T003]: string is not closed", "--> <cell>:2:5", "|     ^"):
        assert part in text
        assert part in Balanced(html).text


def test_variables_are_passed_only_when_named(shell: InteractiveShell) -> None:
    shell.user_ns.update(name="O'Neil $x {y}", count=3, yes=True)
    captured, _ = run(
        shell,
        "%%tiss --var name --var count --var yes --var 'other=a {b}' -o r\n"
        'LOG "{{name}}|{{count}}|{{yes}}|{{other}}"',
    )
    assert captured.stdout == "O'Neil $x {y}|3|true|a {b}\n"
    assert shell.user_ns["r"]["variables"]["count"] == "3"
    captured, _ = run(shell, "%%tiss\nLOG name")
    assert "error[T110]" in shown(captured)[0]


@pytest.mark.parametrize(
    "line",
    [
        "--var nothing_of_this_name",
        "--speed 3",
        "--timeout 5",
        "--root missing",
        "--var 'unclosed",
        "-o",
    ],
)
def test_wrong_flags_are_usage_errors(shell: InteractiveShell, line: str) -> None:
    captured, result = run(shell, f"%%tiss {line}\nLOG 1")
    assert type(result.error_in_exec).__name__ == "UsageError"
    assert "Traceback" not in captured.stdout + captured.stderr
    assert captured.outputs == []


def test_the_line_magic_runs_a_file(shell: InteractiveShell, tmp_path: Path) -> None:
    (tmp_path / "plan.tiss").write_text(PLAN, encoding="utf-8")
    captured, _ = run(shell, "%tiss plan.tiss --sandbox-profile none -o report")
    assert shown(captured)[0].startswith("✓ passed: ")
    assert shell.user_ns["report"]["script"] == "plan.tiss"
    captured, result = run(shell, "%tiss missing.tiss")
    assert type(result.error_in_exec).__name__ == "UsageError"
    captured, result = run(shell, "%tiss --help")
    assert result.success
    assert "--sandbox-profile" in captured.stdout


def test_interrupting_the_cell_stops_the_run(shell: InteractiveShell, tmp_path: Path) -> None:
    def interrupt() -> None:
        end = time.monotonic() + 10
        while not (tmp_path / "pid").exists() and time.monotonic() < end:
            time.sleep(0.01)
        time.sleep(0.1)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    plan = 'STEP "wait" { RUN "sleep 60 & echo $! > pid; wait" }\nSTEP "later" { }'
    captured, result = run(shell, f"%%tiss --sandbox-profile none -o report\n{plan}")
    thread.join()
    assert isinstance(result.error_in_exec, KeyboardInterrupt)
    assert shell.user_ns["report"]["exit_code"] == 130
    assert "Traceback" not in captured.stdout + captured.stderr
    assert "- skipped: later" in shown(captured)[0]
    pid = int((tmp_path / "pid").read_text())
    with open(f"/proc/{pid}/stat") if os.path.exists(f"/proc/{pid}") else open(os.devnull) as file:
        assert " Z " in file.read() or not os.path.exists(f"/proc/{pid}")


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ("--step nope", "no top-level step 'nope'"),
        ("--agent nobody", "unknown agent"),
        ("--agent canned:missing", "missing"),
        ("--junit missing/x", "no such directory"),
        ("--secret NOT_SET_ANYWHERE", "--secret: "),
        ("--jobs 0", "--jobs: "),
    ],
)
def test_wrong_flags_are_one_line(shell: InteractiveShell, flags: str, said: str) -> None:
    captured, result = run(shell, f'%%tiss {flags}\nSTEP "a" {{ PROMPT_AGENT "hi" }}')
    assert type(result.error_in_exec).__name__ == "UsageError"
    assert said in str(result.error_in_exec)
    assert "Traceback" not in captured.stdout + captured.stderr


def test_a_secret_is_masked_in_what_is_shown(
    shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "hunter2hunter2")
    cell = '%%tiss --secret TOKEN\nLOG TOKEN\nASSERT "hunter2hunter2" == "x"'
    captured, _ = run(shell, cell)
    text, html = shown(captured)
    for part in (text, html, captured.stdout, captured.stderr):
        assert "hunter2" not in part
    assert "***" in text


def test_a_file_that_cannot_be_written_is_said(shell: InteractiveShell) -> None:
    captured, _ = run(shell, "%%tiss --events /dev/full\nLOG 1")
    assert "error: cannot write /dev/full: no space left on device" in captured.stderr
    assert shown(captured)[0].startswith("✓ passed")


def test_a_plan_runs_in_a_widget(shell: InteractiveShell, tmp_path: Path) -> None:
    captured, result = run(shell, f"%%tiss --widget -o report\n{PLAN}")
    assert result.success
    end = time.monotonic() + 30
    while "report" not in shell.user_ns and time.monotonic() < end:
        time.sleep(0.02)
    assert shell.user_ns["report"]["exit_code"] == 0
    assert (tmp_path / "name.txt").read_text() == "Ada\n"
    assert "application/vnd.jupyter.widget-view+json" in captured.outputs[0].data


def test_a_dry_run_in_a_widget_does_nothing(shell: InteractiveShell, tmp_path: Path) -> None:
    (tmp_path / "plan.tiss").write_text(PLAN, encoding="utf-8")
    run(shell, "%tiss plan.tiss --dry-run --widget -o report")
    end = time.monotonic() + 30
    while "report" not in shell.user_ns and time.monotonic() < end:
        time.sleep(0.02)
    assert shell.user_ns["report"]["dry_run"]
    assert [path.name for path in tmp_path.iterdir()] == ["plan.tiss"]


def test_wrong_flags_show_no_widget(shell: InteractiveShell) -> None:
    captured, result = run(shell, "%%tiss --widget --timeout 5\nLOG 1")
    assert type(result.error_in_exec).__name__ == "UsageError"
    assert captured.outputs == []
