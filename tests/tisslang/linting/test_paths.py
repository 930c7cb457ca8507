"""T218, T301 and T307."""

import pytest
from conformance import linted as found

USES = [
    'READ "{}" AS x',
    'WRITE "{}" <<W\nW',
    'MKDIR "{}"',
    'DELETE "{}"',
    'ASSERT FILE "{}" EXISTS',
    'IF FILE "{}" NOT EXISTS {{ LOG 1 }}',
    '@cwd "{}"',
]


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize(
    "path",
    ["../x", "/etc/passwd", "a/../../b", "..", "a/../..", "~/x", "~", "C:/x", "a\\\\b", "",
     "/{{v}}", "../{{v}}", "a/../../{{v}}"],
)  # fmt: skip
def test_refused(use: str, path: str) -> None:
    text = "VAR v = 1\n" + use.format(path)
    column = use.index('"') + 1
    assert found(text, "T301") == [f"T301 2:{column}"]


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize(
    "path",
    ["x", "./x", "a/../b", ".", "a/..", "...", "..a/b", "a~", "{{v}}", "{{v}}/../x",
     "{{v}}/../../x", "..{{v}}", "a/{{v}}/../../../x", "{{v}}:/x", "é/b c"],
)  # fmt: skip
def test_not_refused(use: str, path: str) -> None:
    assert found("VAR v = 1\n" + use.format(path), "T301") == []


def test_only_paths_are_judged() -> None:
    assert found('LOG "/etc"\nRUN "ls /etc ../x"\nVAR p = "../x"\n@output "/x"', "T301") == []


@pytest.mark.parametrize(
    "path",
    [".env", "a/.env", ".env.local", "id_rsa", "x/id_ed25519", ".ssh/config", "a/.ssh/known_hosts",
     "cert.pem", "KEY.PEM", "{{v}}/.env", "{{v}}.pem"],
)  # fmt: skip
def test_sensitive(path: str) -> None:
    text = f'VAR v = 1\nREAD "{path}" AS x\nWRITE "{path}" <<W\nW\nDELETE "{path}"'
    assert found(text, "T307") == ["T307 2:6", "T307 3:7", "T307 5:8"]


@pytest.mark.parametrize(
    "path",
    ["env", ".envrc", "a.env", ".env.example", ".env/x", "id_rsa.pub", "my_id_rsa", "ssh/config",
     ".sshx/a", "pem", "a.pem.txt", ".env{{v}}"],
)  # fmt: skip
def test_not_sensitive(path: str) -> None:
    assert found(f'VAR v = 1\nREAD "{path}" AS x\nLOG x', "T307") == []


def test_looking_whether_it_exists_reads_nothing() -> None:
    assert found('ASSERT FILE ".env" EXISTS', "T307") == []


@pytest.mark.parametrize(
    "command",
    [
        "cat .env",
        "cat a/.env | wc",
        "scp '.ssh/id_rsa' x",
        "tool --env-file=.env",
        "x && cat k.pem",
    ],
)
def test_sensitive_words_of_commands(command: str) -> None:
    assert found(f'RUN "{command}"', "T307") == ["T307 1:5"]


@pytest.mark.parametrize(
    "command",
    ["env", "echo .env >> .gitignore", "printf '%s' .env", "ls environment", "cat x # .env",
     "grep '^.env$' f"],
)  # fmt: skip
def test_other_words_of_commands(command: str) -> None:
    assert found(f'RUN "{command}"', "T307") == []


def branches(*paths: str) -> str:
    steps = [f'STEP "{i}" {{\nWRITE "{path}" <<W\nW\n}}' for i, path in enumerate(paths)]
    return "PARALLEL {\n" + "\n".join(steps) + "\n}"


def test_branches_that_write_one_file() -> None:
    assert found(branches("a", "b", "./a", "a"), "T218") == ["T218 11:7", "T218 15:7"]
    assert found(branches("a", "b", "c/a"), "T218") == []
    assert found("VAR v = 1\n" + branches("{{v}}", "{{v}}"), "T218") == []


def test_one_branch_may_write_a_file_twice() -> None:
    text = 'PARALLEL { STEP "a" {\nWRITE "x" <<W\nW\nSTEP "i" {\nWRITE "x" <<W\nW\n} } }'
    assert found(text, "T218") == []
    assert found(text + "\n" + branches("x"), "T218") == []


def test_a_nested_write_counts() -> None:
    write = '{\nWRITE "x" <<W\nW\n}'
    text = f'PARALLEL {{ STEP "a" {write}\nSTEP "b" {{ TRY {write} CATCH {{ }} }} }}'
    assert found(text, "T218") == ["T218 6:7"]
