"""Section 7.4: DEFINE_TASK and CALL."""

from pathlib import Path

import pytest
from conformance import found, logged, run

HELLO = 'DEFINE_TASK "hello" WITH who { LOG "hello {{who}}" }\n'


def test_a_definition_may_follow_its_use(tmp_path: Path) -> None:
    assert logged(f'CALL "hello" WITH who = "Ada"\n{HELLO}', tmp_path) == ["hello Ada"]


def test_a_definition_alone_does_nothing(tmp_path: Path) -> None:
    assert logged(HELLO, tmp_path) == []


@pytest.mark.parametrize("name", ["Hello", "hello ", " hello", "{{hello}}"])
def test_names_are_compared_exactly(name: str) -> None:
    text = f'VAR hello = "hello"\nCALL "{name}" WITH who = "Ada"\n{HELLO}'
    assert found(text) == ["T103 2:1"]


def test_a_name_is_plain_text(tmp_path: Path) -> None:
    assert logged('DEFINE_TASK "{{x}}" { LOG 1 }\nCALL "{{x}}"', tmp_path) == ["1"]


@pytest.mark.parametrize(
    ("arguments", "codes"),
    [
        ("a = 1, b = 2", []),
        ("b = 2, a = 1", []),
        ("a = 1", ["T104 1:1"]),
        ("a = 1, b = 2, c = 3", ["T104 1:1"]),
        ("a = 1, c = 3", ["T104 1:1"]),
        ("a = 1, b = 2, a = 3", ["T104 1:1"]),
    ],
)
def test_a_call_gives_every_parameter_once(arguments: str, codes: list[str]) -> None:
    text = (
        f'CALL "add" WITH {arguments}\nDEFINE_TASK "add" WITH a, b {{ LOG "{{{{a}}}}{{{{b}}}}" }}'
    )
    assert found(text) == codes


def test_a_call_without_arguments_of_a_task_with_parameters(tmp_path: Path) -> None:
    assert found(f'CALL "hello"\n{HELLO}') == ["T104 1:1"]
    assert found('CALL "f" WITH a = 1\nDEFINE_TASK "f" { LOG 1 }') == ["T104 1:1"]


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ('CALL "x"', ["T103 1:1"]),
        ('DEFINE_TASK "f" { LOG 1 }\nDEFINE_TASK "f" { LOG 2 }', ["T106 2:1"]),
        ('DEFINE_TASK "f" WITH a, a { LOG a }', ["T106 1:1"]),
        ('DEFINE_TASK "f" { CALL "f" }', ["T105 1:1"]),
        ('DEFINE_TASK "f" { CALL "g" }\nDEFINE_TASK "g" { CALL "f" }', ["T105 1:1"]),
        ('DEFINE_TASK "f" { IF true { CALL "f" } }', ["T105 1:1"]),
        ('DEFINE_TASK "a" { CALL "b" }\nDEFINE_TASK "b" { CALL "b" }', ["T105 2:1"]),
    ],
)
def test_what_is_wrong_before_a_run(tmp_path: Path, text: str, codes: list[str]) -> None:
    assert found(text) == codes
    report = run(f'MKDIR "d"\n{text}', tmp_path)
    assert report["exit_code"] == 3
    assert not (tmp_path / "d").exists()


def test_arguments_are_evaluated_before_the_body(tmp_path: Path) -> None:
    text = """VAR a = 1
    VAR b = 2
    CALL "swap" WITH a = b, b = a
    LOG "{{a}} {{b}}"
    DEFINE_TASK "swap" WITH a, b { LOG "{{a}} {{b}}" }"""
    assert logged(text, tmp_path) == ["2 1", "1 2"]


def test_arguments_are_evaluated_in_the_scope_of_the_caller(tmp_path: Path) -> None:
    text = """CALL "outer" WITH x = "o"
    DEFINE_TASK "outer" WITH x { CALL "inner" WITH x = "{{x}}i" LINE LOG x }
    DEFINE_TASK "inner" WITH x { LOG x }""".replace("LINE", "\n")
    assert logged(text, tmp_path) == ["oi", "o"]


@pytest.mark.parametrize(
    ("argument", "text"),
    [("1", "1"), ("true", "true"), ("2.50", "2.5"), ("1m", "60.0"), ("'{{x}}'", "{{x}}")],
)
def test_an_argument_keeps_its_type(tmp_path: Path, argument: str, text: str) -> None:
    script = f'CALL "hello" WITH who = {argument}\n{HELLO}'
    assert logged(script, tmp_path) == [f"hello {text}"]


def test_parameters_shadow_until_the_call_ends(tmp_path: Path) -> None:
    text = f'VAR who = "outer"\nCALL "hello" WITH who = "inner"\nLOG who\n{HELLO}'
    assert logged(text, tmp_path) == ["hello inner", "outer"]


def test_parameters_shadow_until_the_call_ends_by_an_error(tmp_path: Path) -> None:
    text = """VAR x = "outer"
    TRY { CALL "fails" WITH x = "inner" } CATCH { LOG x }
    LOG x
    DEFINE_TASK "fails" WITH x { ASSERT false }"""
    assert logged(text, tmp_path) == ["outer", "outer"]


def test_a_parameter_is_gone_after_the_call(tmp_path: Path) -> None:
    report = run(f'CALL "hello" WITH who = "Ada"\n{HELLO}', tmp_path)
    assert report["variables"] == {}
    assert found(f'CALL "hello" WITH who = "Ada"\nLOG who\n{HELLO}') == ["T110 2:5"]


def test_assigning_a_parameter_changes_the_parameter(tmp_path: Path) -> None:
    text = """VAR x = "outer"
    CALL "f" WITH x = "inner"
    LOG x
    DEFINE_TASK "f" WITH x { VAR x = "changed"
        LOG x }"""
    assert logged(text, tmp_path) == ["changed", "outer"]


def test_a_parameter_shadows_in_the_calls_and_branches_below_too(tmp_path: Path) -> None:
    text = """VAR x = 0
    CALL "f" WITH x = 1
    LOG x
    DEFINE_TASK "f" WITH x { CALL "g"
        PARALLEL { STEP "a" { LOG x
            VAR x = 2 } }
        LOG x }
    DEFINE_TASK "g" { LOG x }"""
    assert logged(text, tmp_path) == ["1", "1", "2", "0"]


def test_other_assignments_go_to_the_script(tmp_path: Path) -> None:
    text = """CALL "f" WITH x = 2
    LOG "{{result}} {{LAST_RUN.STDOUT}}"
    DEFINE_TASK "f" WITH x { VAR result = x
        RUN "echo {{x}}" }"""
    report = run(text, tmp_path)
    assert report["log"] == ["2 2\n"]
    assert report["variables"] == {"result": 2}


def test_a_body_sees_the_names_of_the_script(tmp_path: Path) -> None:
    text = 'DEFINE_TASK "f" { LOG x }\nVAR x = 1\nCALL "f"'
    assert logged(text, tmp_path) == ["1"]


def test_calls_appear_in_steps_as_the_name_of_the_task(tmp_path: Path) -> None:
    text = """STEP "s" { CALL "outer" }
    DEFINE_TASK "outer" { STEP "t" { CALL "inner" } }
    DEFINE_TASK "inner" { ASSERT false }"""
    assert run(text, tmp_path)["error"]["steps"] == ["s", "outer", "t", "inner"]


def test_the_example_of_the_reference(tmp_path: Path) -> None:
    text = """DEFINE_TASK "compile" WITH file {
    RUN "python3 -m py_compile {{file}}"
    ASSERT LAST_RUN.EXIT_CODE == 0
}
CALL "compile" WITH file = "src/main.py"
"""
    (tmp_path / "src").mkdir()
    (tmp_path / "src/main.py").write_text("x = 1\n")
    assert run(text, tmp_path)["status"] == "passed"
    (tmp_path / "src/main.py").write_text("x = = 1\n")
    assert run(text, tmp_path)["exit_code"] == 1
