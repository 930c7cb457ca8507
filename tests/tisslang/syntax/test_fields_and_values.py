"""Fields, filters, budgets and directives that exist, with values that they can have (T107)."""

import pytest

from tisslang.syntax import check
from tisslang.syntax.tree import FIELDS, FILTERS


def found(source: str) -> list[str]:
    return [f"{d.code} {d.line}:{d.column}-{d.end_column}" for d in check(source)]


def where(key: str, use: str) -> str:
    """A script in which this use of LAST_RUN, ERROR or COST has a value, on line 2."""
    before = 'RUN "true"' if key == "last_run" else ""
    return f"TRY {{ {before} }} CATCH {{ {before}\n{use}\n}}"


@pytest.mark.parametrize("key", FIELDS)
def test_fields(key: str) -> None:
    name = key.upper()
    for field in FIELDS[key]:
        assert found(where(key, f'LOG "{{{{{name}.{field}}}}}"\nLOG {name}.{field}')) == []
        lower = where(key, f"LOG {name}.{field.lower()}")
        assert found(lower) == [f"T107 2:5-{5 + len(name) + 1 + len(field)}"]
        assert check(lower)[0].hint == f"fields are upper case: {field}"
        assert found(where(key, f'LOG "a {{{{ {name}.{field.lower()} }}}}"'))[0].startswith(
            "T107 2:8-"
        )
    hint = check(where(key, f"LOG {name}.NONSENSE"))[0].hint or ""
    assert all(field in hint for field in FIELDS[key])


@pytest.mark.parametrize("use", ["x|{}", '"{{{{x|{}}}}}"', "COST|{}", "LAST_RUN.STDOUT | {}"])
def test_filters(use: str) -> None:
    before = "VAR x = 1\nRUN 'a'\n"
    for name in FILTERS:
        assert found(before + "LOG " + use.format(name)) == []
    for name in ("upper", "TRIM", "Json"):
        assert [f[:4] for f in found(before + "LOG " + use.format(name))] == ["T107"]


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        *[(f"SET_BUDGET {r} = 5", "") for r in ("API_CALLS", "TOKEN_COUNT", "RUN_COUNT", "COST")],
        ("SET_BUDGET COST = 0", ""),
        ("SET_BUDGET COST = 1.5", ""),
        ("SET_BUDGET EXECUTION_TIME = 300", ""),
        ("SET_BUDGET EXECUTION_TIME = 5m", ""),
        ("SET_BUDGET EXECUTION_TIME = 0s", ""),
        ("SET_BUDGET EXECUTION_TIME = -1", "0 or more"),
        ("SET_BUDGET API_CALLS = -1", "0 or more"),
        ("SET_BUDGET COST = -0.5", "0 or more"),
        ("SET_BUDGET COST = 5m", "no duration"),
        ("SET_BUDGET TOKENS = 5", "unknown budget TOKENS"),
        ("SET_BUDGET api_calls = 5", "unknown budget api_calls"),
        ("SET_BUDGET TIME = 5m", "unknown budget TIME"),
    ],
)
def test_budgets(source: str, fault: str) -> None:
    assert found(source) == (["T107 1:1-11"] if fault else [])
    assert fault in "".join(d.message for d in check(source))


def test_hints_for_budgets() -> None:
    assert check("SET_BUDGET api_calls = 5")[0].hint == "did you mean API_CALLS?"
    assert "EXECUTION_TIME" in (check("SET_BUDGET x = 5")[0].hint or "")


GOOD = [
    *['@persona "p"', "@persona a b 1", '@output "json"', "@language py", "@speed fast", "@x 1 2"],
    *["@timeout 30s", "@timeout 500ms", '@cwd "sub"', '@cwd "{{x}}/sub"', '@env "A=1"'],
    *['@env "_a9="', '@env "A={{x}}"', '@env "PATHS=1"', '@env "A=B=C"', "@env 'LDX=1'"],
]
BAD = [
    *["@timeout 30", '@timeout "30s"', "@timeout fast", "@timeout 1s 2s", "@timeout true"],
    *["@cwd 1", "@cwd true", '@cwd "a" "b"', "@cwd 5s"],
    *["@env A", "@env 1", '@env "A"', '@env "=1"', '@env "1A=1"', '@env "A B=1"', '@env "{{x}}=1"'],
    *['@env "{{x}}A=1"', '@env "A{{x}}=1"', '@env "A=1" "B=2"', '@env " A=1"', '@env "Ä=1"'],
    *[f'@env "{name}=x"' for name in ("PATH", "HOME", "TMPDIR", "IFS", "ENV", "BASH_ENV")],
    *[f'@env "{name}=x"' for name in ("SHELLOPTS", "LD_PRELOAD", "LD_", "LD_LIBRARY_PATH")],
    *['@env "PATH={{x}}"'],
]


@pytest.mark.parametrize("directive", GOOD)
def test_directives(directive: str) -> None:
    assert found("VAR x = 1\n" + directive) == []


@pytest.mark.parametrize("directive", BAD)
def test_malformed_directives(directive: str) -> None:
    word = directive.split()[0]
    assert found("VAR x = 1\n" + directive) == [f"T107 2:1-{1 + len(word)}"]


@pytest.mark.parametrize(
    ("value", "is_good"),
    [("0", True), ("2", True), ("-1", False), ("1.5", False), ('"2"', False), ("true", False)],
)
def test_retry(value: str, is_good: bool) -> None:
    assert found(f'STEP "s" {{\n@retry {value}\n}}') == ([] if is_good else ["T107 2:1-7"])
    assert found(f'STEP "s" {{\n@retry {value} {value}\n}}') == ["T107 2:1-7"]


def test_names_in_directives_are_names() -> None:
    assert found('@persona "{{who}}"') == ["T110 1:11-18"]
    assert found('@cwd "{{LAST_RUN.STDOUT}}"') == ["T111 1:7-26"]
