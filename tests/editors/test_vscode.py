"""The VS Code extension: its own tests, manifest, package, and what is made from the vocabulary."""

import json
import re
import runpy
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import word_lists
from vscode_extension import FOLDER, need_packages, npm

from tisslang import check
from tisslang.cli import main
from tisslang.syntax import parse

ROOT = FOLDER.parents[1]
MANIFEST = json.loads((FOLDER / "package.json").read_text(encoding="utf-8"))
CONTRIBUTES = MANIFEST["contributes"]
GRAMMAR = json.loads((FOLDER / "syntaxes" / "tiss.tmLanguage.json").read_text(encoding="utf-8"))
SNIPPETS = json.loads((FOLDER / "snippets" / "tiss.json").read_text(encoding="utf-8"))

# What a snippet needs around it to be a plan; `@` is its place.
AROUND = {
    "OPTION": "CHOOSE {\n@\n}\n",
    "CALL": 'VAR value = 1\nDEFINE_TASK "name" WITH parameter { }\n@\n',
    "ASSERT": "VAR condition = true\n@\n",
    "IF": "VAR condition = true\n@\n",
    "VAR": "VAR value = 1\n@\n",
    "@retry": 'STEP "often" {\n@\n}\n',
}


def test_its_own_tests_pass() -> None:
    need_packages()
    told = npm("test").stdout
    assert re.search(r"^# pass [1-9]", told, re.MULTILINE), told
    assert told.count("run success") == len(list(FOLDER.glob("tests/*/*.tiss"))), told


# ------------------------------------------------------------------------------- what is made


@pytest.mark.parametrize("script", ["grammar.py", "snippets.py"])
def test_made_files_are_fresh(script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = maker(script, monkeypatch)
    stored = made["FILE"].read_text(encoding="utf-8")
    assert stored == made["text"](), f"run python editors/vscode/make/{script}"


def maker(script: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    folder = FOLDER / "make"
    monkeypatch.syspath_prepend(str(folder))
    try:
        return runpy.run_path(str(folder / script))
    finally:
        for name in ("heredoc_languages", "rules"):  # too plain to stay importable
            sys.modules.pop(name, None)


def test_word_lists_of_the_grammar_are_those_of_the_language() -> None:
    rules = GRAMMAR["repository"]["code"]["patterns"]
    found: dict[str, set[str]] = {}
    for rule in rules:
        pattern = rule.get("match", rule.get("begin", ""))
        scopes = [rule.get("name", ""), *(x["name"] for x in rule.get("captures", {}).values())]
        for scope in scopes:
            found.setdefault(scope.split(" ")[0], set()).update(words_in(pattern))
    keywords = found["storage.type.tiss"] | found["keyword.control.tiss"]
    keywords |= found["keyword.other.command.tiss"] - {"COST"}
    keywords |= found["keyword.other.clause.tiss"] | found["keyword.operator.wordlike.tiss"]
    assert keywords - set(word_lists.BUDGETS) == {*word_lists.STATEMENTS, *word_lists.CLAUSES}
    assert found["invalid.illegal.reserved.tiss"] == set(word_lists.RESERVED)
    assert found["constant.language.boolean.tiss"] == set(word_lists.CONSTANTS)
    assert found["support.function.filter.tiss"] == set(word_lists.FILTERS)
    assert found["support.constant.budget.tiss"] - {"SET_BUDGET"} == set(word_lists.BUDGETS)
    assert found["entity.name.function.decorator.tiss"] == set(word_lists.DIRECTIVES)
    fields = {field for own in word_lists.FIELDS.values() for field in own}
    assert found["variable.other.property.tiss"] == fields | set(word_lists.VALUES)
    for value, own in word_lists.FIELDS.items():
        rule = next(x for x in rules if x.get("match", "").startswith(f"({value})"))
        assert words_in(rule["match"]) == {value, *own}
    not_names = re.findall(r"\(\?!\(\?:([A-Za-z_|]+)\)", json.dumps(GRAMMAR))
    assert not_names
    assert {frozenset(x.split("|")) for x in not_names} == {frozenset(word_lists.ALL_RESERVED)}


def words_in(pattern: str) -> set[str]:
    """The words that a rule looks for: not those in its character classes and lookaheads."""
    bare = re.sub(r"\(\?![^()]*(\([^()]*\)[^()]*)*\)|\[[^\]]*\]|\\.", " ", pattern)
    return set(re.findall(r"[A-Za-z_]{2,}", bare)) - {"ms"}


def test_languages_of_heredocs_are_named_once(monkeypatch: pytest.MonkeyPatch) -> None:
    languages = maker("heredoc_languages.py", monkeypatch)
    words = [word for _, _, own in languages["LANGUAGES"] for word in own]
    assert len(words) == len(set(words))
    assert all(own[0] == name or name in own for name, _, own in languages["LANGUAGES"])
    assert CONTRIBUTES["grammars"][0]["embeddedLanguages"] == languages["embedded_languages"]()


@pytest.mark.parametrize("name", SNIPPETS)
def test_every_snippet_is_a_plan_once_it_is_filled_in(name: str) -> None:
    body = filled_in("\n".join(SNIPPETS[name]["body"]))
    plan = AROUND.get(name, "@\n").replace("@", body)
    assert check(parse(plan)) == [], plan


def filled_in(snippet: str) -> str:
    """A snippet as it stands when every place keeps what it offers first."""
    offered: dict[str, str] = {}

    def place(match: re.Match[str]) -> str:
        number, text, choice = match[1] or match[4], match[2], match[3]
        if text or choice:
            offered[number] = text or choice.split(",")[0]
        return offered.get(number, "")

    return re.sub(r"\$\{(\d+)(?::([^}]*)|\|([^}]*)\|)\}|\$(\d+)", place, snippet)


# ------------------------------------------------------------------------------- the manifest


def test_every_file_of_the_manifest_is_there() -> None:
    def paths(node: Any) -> list[str]:
        if isinstance(node, dict):
            return [x for value in node.values() for x in paths(value)]
        if isinstance(node, list):
            return [x for value in node for x in paths(value)]
        return [node] if isinstance(node, str) and node.startswith("./") else []

    built = {"./dist/extension.js", "./dist/browser.js"}
    named = set(paths(MANIFEST))
    assert built < named
    assert [path for path in named - built if not (FOLDER / path).is_file()] == []
    build = (FOLDER / "build.mjs").read_text(encoding="utf-8")
    for source in re.findall(r'entryPoints: \["([^"]+)"\]', build):
        assert (FOLDER / source).is_file()
    assert (FOLDER / "LICENSE").read_text(encoding="utf-8") == (ROOT / "LICENSE").read_text(
        encoding="utf-8"
    )


def test_every_command_and_setting_is_there_and_used() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in FOLDER.glob("source/*.mjs"))
    registered = set(re.findall(r'registerCommand\("([^"]+)"', source))
    offered = {command["command"] for command in CONTRIBUTES["commands"]}
    in_menus = {entry["command"] for menu in CONTRIBUTES["menus"].values() for entry in menu}
    assert registered == offered == in_menus
    settings = {
        name.removeprefix("tisslang.") for name in CONTRIBUTES["configuration"]["properties"]
    }
    read = set(re.findall(r'\.get\("([^"]+)"', source))
    assert settings == read | {"trace.server"}  # that one is read by the language client
    restricted = MANIFEST["capabilities"]["untrustedWorkspaces"]["restrictedConfigurations"]
    assert set(restricted) == {"tisslang.path", "tisslang.runArguments"}
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert all(f"`tisslang.{name}`" in readme for name in settings)


def test_problem_matcher_reads_what_the_command_line_writes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = tmp_path / "plan.tiss"
    plan.write_text('STEP "a" {\n    LOG "open\n}\n', encoding="utf-8")
    assert main(["check", str(plan)]) == 3
    told = capsys.readouterr()
    lines = (told.out + told.err).splitlines()
    head, place = (x["regexp"] for x in CONTRIBUTES["problemMatchers"][0]["pattern"])
    index = next(i for i, line in enumerate(lines) if re.search(head, line))
    assert re.search(head, lines[index]).group(1, 2) == ("error", "T003")
    assert re.search(place, lines[index + 1]).group(1, 2, 3) == (str(plan), "2", "9")


def test_versions_are_exact_and_the_lock_file_has_no_addresses() -> None:
    wanted = MANIFEST["devDependencies"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values())
    assert "dependencies" not in MANIFEST
    lock = (FOLDER / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
    packages = json.loads(lock)["packages"]
    assert packages[""]["devDependencies"] == wanted
    assert {name: packages[f"node_modules/{name}"]["version"] for name in wanted} == wanted


# ------------------------------------------------------------------------------- the package


def test_package_holds_what_the_editor_needs_and_nothing_else() -> None:
    need_packages()
    npm("run", "package")
    with zipfile.ZipFile(FOLDER / "dist" / "tisslang.vsix") as package:
        assert sorted(package.namelist()) == [
            "[Content_Types].xml",
            "extension.vsixmanifest",
            "extension/LICENSE.txt",
            "extension/dist/NOTICES.txt",
            "extension/dist/browser.js",
            "extension/dist/extension.js",
            "extension/icons/tiss-dark.svg",
            "extension/icons/tiss-light.svg",
            "extension/language-configuration.json",
            "extension/package.json",
            "extension/readme.md",
            "extension/snippets/tiss.json",
            "extension/syntaxes/tiss.tmLanguage.json",
        ]
        bundle = package.read("extension/dist/extension.js").decode()
        notices = package.read("extension/dist/NOTICES.txt").decode()
        texts = [package.read(name).decode() for name in package.namelist()]
    assert sum(len(text) for text in texts) < 1_000_000
    assert str(ROOT) not in "".join(texts)
    # Of all packages only the editor's own is asked for when the extension starts.
    asked_for = set(re.findall(r'\brequire\("([^"]+)"\)', bundle))
    of_node = [
        "child_process",
        "crypto",
        "fs",
        "net",
        "os",
        "path",
        "readline",
        "url",
        "util",
        "worker_threads",
    ]
    assert {x.removeprefix("node:").split("/")[0] for x in asked_for} <= {"vscode", *of_node}
    assert "vscode-languageclient 11.0.0 (MIT)" in notices
    assert notices.count("Permission is hereby granted") >= 3
