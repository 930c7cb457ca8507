"""T215, T216 and T219."""

import pytest
from conformance import linted as found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('LOG "{{ a + b }}"', ["T215 1:6"]),
        ('LOG "${{ github.sha }}"', ["T215 1:7"]),
        ('LOG "{{"', ["T215 1:6"]),
        ('LOG "{{LAST_RUN}} {{STEP}} {{x.y}}"', ["T215 1:6", "T215 1:19", "T215 1:28"]),
        ('LOG "{{x|trim|json}}"', ["T215 1:6"]),
        ('VAR x = 1\nLOG "{{{x}} {{x}}"', ["T215 2:6"]),
        ('LOG "{{{{ a }}}}"', ["T215 1:6"]),  # once for a run of braces
        ('LOG "é{{ a b }}{{ c d }}"', ["T215 1:7", "T215 1:16"]),
        ('LOG "\\\\{{ a b }}"', ["T215 1:8"]),  # an escaped backslash
        ("WRITE 'f' <<W\nint a[] = {{1}};\n  {{ b c }}\nW", ["T215 2:11", "T215 3:3"]),
        ("STEP 's' {\n  WRITE 'f' <<-W\n    x\n      {{ b c }}\n  W\n}", ["T215 4:7"]),
        ('STEP "build {{x}}" { LOG 1 }', ["T215 1:13"]),  # no interpolation in a description
        ('CALL "{{x}}"', ["T215 1:7"]),
        ('@persona "{{ a b }}"', ["T215 1:11"]),
        ('DEFINE_TASK "d" WITH a { LOG a }\nCALL "d" WITH a = "{{ b c }}"', ["T215 2:20"]),
        ('ASSERT FILE "{{ a b }}" EXISTS', ["T215 1:14"]),
    ],
)
def test_no_interpolation(text: str, expected: list[str]) -> None:
    assert found(text, "T215") == expected


@pytest.mark.parametrize(
    "text",
    [
        'VAR x = 1\nLOG "{{x}} {{ x | json }}"',
        'RUN "a"\nLOG "{{LAST_RUN.STDOUT|trim}}{{COST}}{{COST.TOKENS}}"',
        'LOG "\\{{ a + b }}"',
        'VAR x = 1\nLOG "\\{{{x}} { {x} }"',
        "LOG '{{ a + b }}'",
        "WRITE 'f' <<'W'\n{{ a + b }}\nW",
        "WRITE 'f' <<W\n\\{{ a + b }}\nW",
        'STEP "a set {{ in a set" { LOG 1 }',
        'STEP "\\{{x}}" { LOG 1 }',
        "STEP '{{x}}' { LOG 1 }",
        "LOG 1 # {{ a + b }}",
    ],
)
def test_interpolation_or_plainly_text(text: str) -> None:
    assert found(text, "T215") == []


@pytest.mark.parametrize(
    "name", ["a.yml", "a.YAML", "b/page.html", "a.jinja", "a.jinja2", "a.sql.j2", "App.vue"]
)
def test_files_with_braces_of_their_own(name: str) -> None:
    text = f'VAR x = 1\nWRITE "{name}" <<W\n<p>{{{{x}}}} and\n{{{{x}}}}</p>\nW'
    assert found(text, "T216") == ["T216 3:4"]


@pytest.mark.parametrize(
    "text",
    [
        "VAR x = 1\nWRITE 'a.py' <<W\n{{x}}\nW",
        "VAR x = 1\nWRITE 'a.html.txt' <<W\n{{x}}\nW",
        "VAR x = 1\nWRITE 'ayml' <<W\n{{x}}\nW",
        "WRITE 'a.html' <<'W'\n{{x}}\nW",
        "WRITE 'a.html' <<W\n\\{{x}} {{ a b }}\nW",
        'VAR x = 1\nWRITE "{{x}}.html" <<W\nplain\nW',
        "VAR x = 1\nREAD 'a.html' AS y\nLOG \"{{x}}{{y}}\"",
    ],
)
def test_files_without(text: str) -> None:
    assert found(text, "T216") == []


def test_a_template_counts_by_its_end() -> None:
    text = 'VAR x = 1\nWRITE "{{x}}.html" <<W\n{{x}}\nW'
    assert found(text, "T216") == ["T216 3:1"]


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ('RUN "cat {{LAST_RUN.STDOUT}}"', ["T219 2:10"]),
        ("RUN <<R\ncat '{{ LAST_RUN.STDOUT }}'\nR", ["T219 3:6"]),
        ('RUN "cat {{LAST_RUN.STDOUT|raw}}"', ["T219 2:10"]),
        ('READ "{{LAST_RUN.STDOUT}}" AS x', ["T219 2:7"]),
        ('WRITE "{{LAST_RUN.STDOUT}}" <<W\nW', ["T219 2:8"]),
        ('MKDIR "a/{{LAST_RUN.STDOUT}}"', ["T219 2:10"]),
        ('DELETE "{{LAST_RUN.STDOUT}}"', ["T219 2:9"]),
        ('ASSERT FILE "{{LAST_RUN.STDOUT}}" EXISTS', ["T219 2:14"]),
        ('IF FILE "{{LAST_RUN.STDOUT}}" EXISTS { LOG 1 }', ["T219 2:10"]),
        ('@cwd "{{LAST_RUN.STDOUT}}"', ["T219 2:7"]),
        ('RUN "cat {{LAST_RUN.STDOUT|trim}}"', []),
        ('RUN "cat {{LAST_RUN.EXIT_CODE}} {{LAST_RUN.STDERR}}"', []),
        ("WRITE 'f' <<W\n{{LAST_RUN.STDOUT}}\nW", []),
        ('LOG "{{LAST_RUN.STDOUT}}"', []),
        ("ASSERT LAST_RUN.STDOUT == 'a'", []),
        ('@persona "{{LAST_RUN.STDOUT}}"', []),
    ],
)
def test_trim(statement: str, expected: list[str]) -> None:
    assert found(f'RUN "ls"\n{statement}', "T219") == expected
