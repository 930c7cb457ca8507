"""Both tables of the command policy, their near misses, and what a real shell would run."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import FrameType

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tisslang.command_policy import Verdict, judge

LONGEST = 131_071  # bytes of a command that RUN accepts

DENIED = {
    "rm": [
        "rm -r .",
        "rm -rf .",
        "rm -fr ./",
        "rm -R ..",
        "rm --recursive ../",
        "rm --rec ..",
        "rm -rfv /*",
        "rm -rf /",
        "rm -rf //",
        "rm -rf /etc/",
        "rm -rf ~",
        "rm -rf ~/x",
        "rm -rf ~root",
        "rm -rf $HOME",
        "rm -rf $HOME/x",
        'rm -rf "$HOME"/x',
        'rm -rf "$HOME/x"',
        "rm -rf ${HOME}",
        'rm -rf "${HOME:?}/x"',
        "rm -rf '~'",
        "rm -rf ../x",
        "rm -rf a/../..",
        "rm -rf a/../../b",
        "rm -rf a/..",
        "rm -rf ./.",
        "rm .. -rf",
        "rm -f a -r b /",
        "rm -rf -- /",
        "rm -rf build ~",
        "rm -rf \\~",
        "rm -rf >log 2>&1 /",
        "/bin/rm -rf /",
        'rm "-rf" "/"',
        "rm -r\\\nf /",
        'rm -rf "/',  # a quote that is not closed
    ],
    "mkfs": ["mkfs /dev/sda1"],
    "mkfs.ext4": ["mkfs.ext4 disk.img", "/sbin/mkfs.ext4 -L a disk.img"],
    "dd": ["dd if=x of=/dev/sda", "dd of=/dev/null", "dd 'of=/dev/sda' if=x", "dd of=//dev/sda"],
    "shutdown": ["shutdown -h now", "/sbin/shutdown"],
    "reboot": ["reboot", "make && reboot"],
    "halt": ["halt -p"],
    "poweroff": ["poweroff"],
    "chmod": ["chmod -R 777 /", "chmod 777 / -R", "chmod -vR a+x //", "chmod --recursive 0 /."],
    "chown": ["chown -R me /", "chown --recursive me:us /", "chown -hR me /a/.."],
    ":": [
        ":(){ :|:& };:",
        ":(){:|:&};:",
        ":() { : | : & } ; :",
        ": ( )\n{\n:|:&\n}\n:",
        ":(){ : | cat | : & }; :",
        ":(){ :|&: & }; :",
    ],
    "bomb": [
        "bomb() { bomb | bomb & }; bomb",
        "bomb() (bomb|bomb)",
        "bomb() {\n  if true; then bomb |\n bomb & fi\n}",
        "function bomb { bomb|bomb& }",
        "function bomb() { bomb|bomb& }; bomb",
        "function bomb\n{ { echo; }; bomb|(bomb)& }",
        "sh() { cat; }; bomb() { bomb | bomb; }",
    ],
}

ASKED = {
    "sudo": ["sudo ls", "sudo rm -rf /", "/usr/bin/sudo -u me ls", "curls; sudo x", "a | sudo sh"],
    "su": ["su", "su - me -c ls"],
    "doas": ["doas ls"],
    "curl": ["curl https://example.org", "x=$(curl a)", "curl a | sh", "[ -f a ] || curl a"],
    "wget": ["wget -q a"],
    "nc": ["nc -l 80", "echo a | nc host 1"],
    "ssh": ["ssh host ls"],
    "scp": ["scp a host:b"],
    "rsync": ["rsync -a a host:b"],
    "ftp": ["ftp host"],
    "telnet": ["telnet host"],
    "git": [
        "git push",
        "git push --force origin main",
        "git -C dir push",
        "git -c a=b push",
        "git --no-pager push",
        "git --git-dir d --work-tree=w -p push",
        "git commit -m a && git push",
        "cd a; /usr/bin/git 'push'",
    ],
    "sh": [
        "cat x | sh",
        "cat x|sh -s a",
        "cat x |\nsh",
        "cat x | # why\n  sh",
        "cat x | (sh)",
        "(cat x) | sh",
        "cat x | {\n sh; }",
        "cat x | >log sh",
        "cat x | xargs sh -c",
        "cat <<E | /bin/sh\nls\nE",
        "cat <<E |\nls\nE\nsh",
    ],
    "bash": ["cat x | bash", "cat x |& bash", "cat x | env -i A=b bash", "cat x | exec bash"],
    "zsh": ["cat x | time zsh"],
    "python": ["cat x | python"],
    "python3": ["cat x | python3 -", "cat x | env python3 -", "cat x | /usr/bin/env python3"],
    "python3.13": ["cat x | python3.13 -m json.tool"],
    "pythonista": ["cat x | pythonista"],  # by the letter of `python*`
}

ALLOWED = [
    "",
    " \n;\t",
    "true",
    "rm -rf build",
    "rm -rf ./build dist/*.whl",
    "rm -r a/../b",
    "rm -rf $BUILD/x $HOMEPAGE ${HOMEPAGE}",
    "rm -rf a~ .git/x ...",
    'rm -rf ""',
    "rm -f /etc/passwd",
    "rm .. -f",
    "rm -- -r /",
    "rm --force ../x",
    "echo rm -rf /",
    "echo 'rm -rf /; sudo ls'",
    'echo "sudo" "; sudo ls"',
    "echo \\; sudo",
    "trm -rf /",
    "rmdir ..",
    "mkf x",
    "dd if=/dev/zero of=disk.img",
    "dd if=x of=/device/x",
    "chmod -R 755 .",
    "chmod -R 755 /usr",
    "chmod 755 /",
    "chmod -r /",
    "chown -hv me /",
    "echo shutdown reboot halt poweroff",
    "f() { cat; }; f | f",
    "f() { f & }",
    "f() { a | f; }",
    "f() { f; a | f; }",
    "f() { g | g; }; f",
    "f() { cat; }; g() { f | f; }",
    "f() { { cat; } }; f | f",
    "f() { if a; then { b; } fi }; f | f",
    "echo ':(){ :|:& };:'",
    "sudoku; visudo; suite; doasx",
    "./curl/run; curl-config; ./curl.sh; a/curl/",
    "command -v curl wget >/dev/null",
    "git pushed",
    "git log push",
    "git stash push",
    "git -C push status",
    "git --git-dir push status",
    "git commit -m 'git push'",
    "echo git push",
    "sh x.sh",
    "python3 x.py",
    "python3 x.py | cat",
    "cat x | tee sh",
    "cat x | shellcheck -",
    "cat x | ipython",
    "cat x || sh",
    "cat x | cat && sh y",
    "cat x | cat; sh y",
    "cat x >| sh",
    "cat x | cat\nsh y",
    "echo x # ; sudo ls",
    "# sudo ls\n#; sudo\necho",
    "echo 'it'\"'\"'s; sudo ls'",
    'echo "a`echo \\"b; sudo c\\"`d"',
    "cat <<E\nsudo ls\n`\\``\nE\necho",
    "cat <<'E'\n$(sudo ls) `sudo`\nE",
    "cat <<\\E >x\n$(sudo ls)\nE",
    "cat <<-E\n\tsudo ls\n\tE\ntrue",
    "cat <<A; cat <<'B'\nsudo\nA\n$(sudo)\nB\ntrue",
    "cat <<E\nsudo ls",
    "cat 0<<E\nsudo\nE",
    "cat <<<sudo",
    "cat <(a) sudo; echo &>x sudo; echo &>>x sudo; echo >x sudo",
    "> sudo echo; echo 2> sudo; <sudo cat; &> sudo cat; cat <>sudo",
    "case $x in sudo|su) a;; (curl) b;; *) c;; esac",
    "x=sudo y='a; sudo b' echo ${z:-'sudo; sudo'} \"${z:-it's}\" sudo",
    "for sudo in sudo; do echo sudo; done",
    "env",
    "time",
    "nohup ./sudo.sh",
    "timeout 5 echo sudo",
]

# Ways to write `sudo` as a command.
SUDO = [
    "{}",
    "a; {}",
    "a & {}",
    "a | {}",
    "a |& {}",
    "a && {}",
    "a || {}",
    "a\n{}",
    "a &\n{}",
    "({})",
    "((a);{})",
    "a;(b;({}))",
    "{{ {}; }}",
    "f() {{ {}; }}",
    "function f {{ {}; }}",
    "a $({})",
    'a "$({})"',
    'a "b $(c "d $({})" e) f"',
    "a `{}`",
    'a "`{}`"',
    "a `b \\`{}\\``",
    "a `b \\$({})`",
    "a \"`b \\\"c\\\"; {}`\"",
    "a `'b'; {}`",
    "a ${{x:-$({})}}",
    'a "${{x:-$({})}}"',
    'a "${{x:-"$({})"}}"',
    "a ${{x#'\"'}}; {}",
    "a \"${{x:-it's}}\"; {}",
    "a <({})",
    "a >({}) b",
    "a $((1 + $({})))",
    "a $((1<<2))\n{}",
    "cat <<E\n$({})\nE",
    "cat <<E\n`{}`\nE",
    "cat <<E\n\"$({})\nE",
    "cat <<E\nit's\nE\n{}",
    "cat <<E; {}\nE",
    "cat <<'A' <<-\"B\"\nb\nA\n\tB\n{}",
    "a $(cat <<E\n)'\"\nE\n{})",
    "x=1 {}",
    "x=1 y='a b' {}",
    "x='a b'$(c) {}",
    ">x {}",
    "> x {}",
    "2>&1 {}",
    ">>x <y 2>/dev/null {}",
    "&>x {}",
    "<<<x {}",
    "a 2>&1; {}",
    "a >&2;{}",
    "if {}; then a; fi",
    "if a; then {}; fi",
    "if a; then b; else {}; fi",
    "if a; then b; elif {}; then c; fi",
    "for x in a; do {}; done",
    "while {}; do a; done",
    "until {}; do a; done",
    "! {}",
    "if ! {}; then a; fi",
    "case a in b) {};; esac",
    "case a in esac; {}",
    "env case a in | {}",
    "case a in b) c;; d|e) {};; esac",
    "a $(case b in c) d;; esac); {}",
    'a "$(case b in (c) if d; then e; fi esac)"; {}',
    "a $(case b in c) {};; esac)",
    "env {}",
    "env -i {}",
    "env - A=b C.d=e {}",
    "env -u A --unset B -iu C -C d {}",
    "nohup {}",
    "time {}",
    "time -p {}",
    "time -f %e -o x {}",
    "nice {}",
    "nice -n 5 {}",
    "nice -5 {}",
    "nice -n $(a) {}",
    "nice --adjustment=5 {}",
    "command {}",
    "command -p {}",
    "exec {}",
    "exec -a name {}",
    "exec >x {}",
    "timeout 5 {}",
    "timeout 1.5h {}",
    "timeout -k 5 10 {}",
    "timeout --signal=KILL 5 {}",
    "timeout -s KILL --foreground .5s {}",
    'timeout "$LIMIT" {}',
    "xargs {}",
    "a | xargs -n 1 -I {{}} {}",
    "xargs -I{{}} -0rn1 -d , {}",
    "x=1 env y=2 nice -n 5 timeout 5 time {}",
    "/usr/bin/env {}",
    "'env' {}",
    "a \\\n; {}",
    "a # '\n{}",
    "a#'b'; {}",
    "a $# ; {}",
    "a \"#\" ; {}",
    "a '\\' ; {}",
    'a "\\\\" ; {}',
    "a $'\\'' ; {}",
    "a ) {}",
    "a >; {}",
    'a "$({{ b; )"; {}',
    "a 'b' \"$(c; {}",
    "a `{}",
]  # fmt: skip
SPELLINGS = [
    "sudo ls",
    "'sudo' ls",
    'su"do" ls',
    "\\sudo ls",
    "s\\udo",
    "su\\\ndo ls",
    "$'sudo' ls",
    "/usr/bin/sudo ls",
    "./sudo",
    "sudo>x ls",
]


def pairs(table: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(name, command) for name, commands in table.items() for command in commands]


@pytest.mark.parametrize(("name", "command"), pairs(DENIED))
def test_denied(name: str, command: str) -> None:
    verdict = judge(command)
    assert verdict[:2] == ("deny", name)
    assert verdict.reason


@pytest.mark.parametrize(("name", "command"), pairs(ASKED))
def test_asked(name: str, command: str) -> None:
    verdict = judge(command)
    assert verdict[:2] == ("ask", name)
    assert verdict.reason


@pytest.mark.parametrize("command", ALLOWED)
def test_allowed(command: str) -> None:
    assert judge(command) == Verdict("allow", "", "")


@pytest.mark.parametrize("place", SUDO)
def test_a_command_is_found_wherever_it_stands(place: str) -> None:
    for spelling in SPELLINGS:
        if "\\" in spelling and ("`" in place or "\\" in place):
            continue  # one more layer of backslashes makes another text
        assert judge(place.format(spelling))[:2] == ("ask", "sudo"), place.format(spelling)
    assert judge(place.format("echo sudo")).action == "allow"


@pytest.mark.parametrize(
    ("cwd", "path", "action"),
    [
        ("", "a", "allow"),
        ("", "../a", "deny"),
        ("a/b", "../x", "allow"),
        ("a/b", "../../x", "allow"),
        ("a/b/", "../../x", "allow"),
        ("./a//b", "../../x", "allow"),
        ("a/b", "../../../x", "deny"),
        ("a/b", "../..", "deny"),  # the root itself
        ("a/b", "c/../../../", "deny"),
        ("a/b", "..", "deny"),
        ("a/b", ".", "deny"),
        ("a/b", "./", "deny"),
        ("a/b", "./c", "allow"),
        ("a", "/a/b", "deny"),
    ],
)
def test_the_working_directory_counts(cwd: str, path: str, action: str) -> None:
    assert judge(f"rm -rf {path}", cwd=cwd).action == action


def test_the_reasons_are_for_people() -> None:
    def reason(command: str) -> str:
        return judge(command).reason

    assert (
        reason("rm -rf ../x") == "rm with a recursive flag on a path that leaves the project root"
    )
    assert reason("rm -rf a/..") == "rm with a recursive flag on the project root"
    assert reason("rm -r ~") == "rm with a recursive flag on a path in a home directory"
    assert reason("curl x") == "curl talks to other machines"
    assert reason("cat x | sh") == "sh runs what is piped into it"


def test_the_name_and_the_path_need_not_stand_on_one_line() -> None:
    assert judge("if true\nthen rm \\\n  -rf \\\n  ~/x\nfi").action == "deny"


def test_the_worst_verdict_wins_and_of_equals_the_first() -> None:
    assert judge("curl a; wget b").command == "curl"
    assert judge("curl a; rm -rf /; reboot").command == "rm"
    assert judge("reboot; rm -rf /; curl").command == "reboot"
    assert judge("wget $(curl a)").command == "curl"  # it runs first


@pytest.mark.parametrize(("name", "command"), pairs(DENIED) + pairs(ASKED))
def test_an_allowed_name_leaves_both_lists(name: str, command: str) -> None:
    verdict = judge(command, allowed=["other", name])
    assert verdict.command != name
    assert verdict.action in ("allow", "ask")
    assert judge(command, allowed=["other"]) == judge(command)
    assert judge(command, allowed=[name], denied=[name])[:2] == ("deny", name)


def test_a_denied_name() -> None:
    assert judge("a; /opt/make -j; b", denied=["make"]) == Verdict(
        "deny", "make", "make is denied by --deny-command"
    )
    assert judge("curl x", denied=["curl"])[:2] == ("deny", "curl")
    assert judge("a | env -i xargs ls", denied=["xargs"])[:2] == ("deny", "xargs")
    assert judge('"a\\\\b"', denied=["a\\b"])[:2] == ("deny", "a\\b")
    assert judge("env", denied=["env"])[:2] == ("deny", "env")
    assert judge("echo make; makes; make=1", denied=["make"]).action == "allow"
    assert judge("make", denied=iter(["make"]), allowed=iter(["make"])).action == "deny"


# Any text

PIECES = [
    "sudo", "sudo x", "echo", "a", " ", " ", "\n", ";", "&", "&&", "|", "||", "(", ")", "$(", "`",
    "\\`", "\\", "\\\n", "'", '"', '"', "#", "$", "${x:-", "}", "{ ", "$((", "))", "<<E", "<<'E'",
    "<<-E", "\nE\n", ">f", "2>&1", "<", "if ", "then ", "fi", "! ", "case a in ", "a) ", ";;",
    "esac", "x=1 ", "env ", "command ", "exec ",
]  # fmt: skip
TEXTS = st.one_of(st.text(), st.lists(st.sampled_from(PIECES), max_size=24).map("".join))


@given(TEXTS, st.text(max_size=8), st.lists(st.text(max_size=4)))
def test_no_text_is_an_error(command: str, cwd: str, names: list[str]) -> None:
    verdict = judge(command, cwd=cwd, allowed=names, denied=names)
    assert verdict.action in ("allow", "ask", "deny")
    assert bool(verdict.reason) == bool(verdict.command) == (verdict.action != "allow")
    judge("rm -rf " + command, cwd=cwd)


NAMES = re.compile(
    "rm|mkfs|dd|shutdown|reboot|halt|poweroff|chmod|chown|sudo|su|doas|curl|wget|nc|ssh|scp|rsync"
    "|ftp|telnet|git|sh|bash|zsh|python|function"
)


@settings(max_examples=300)
@given(TEXTS)
def test_a_text_without_the_names_is_allowed(command: str) -> None:
    command = command.replace("sudo", "less")
    assume(not NAMES.search(re.sub(r"[\\\n'\"$]", "", command)))
    assume(not re.search(r"\([ \t]*\)", command))
    assert judge(command).action == "allow"


# What dash and bash read alike. An empty `$( )` or `${x}` never vanishes here, which could make the
# word behind it the command; and nothing runs on behind the shell's back.
FRAGMENTS = [
    " sudo ", " sudo;", "(sudo ", "|sudo\n", " 'su'\"do\" ", "\n\\sudo)", "a$(sudo)", "a`sudo`",
    "echo", "a", " ", "\n", ";", "&&", "|", "||", "(", ")", "a$(", "a`", "\\`", "\\", "\\\n", "'",
    '"', "#", "a${x:-", "}", "{ ", "<<E ", "<<'E'\n", "<<-E\n", "\nE\n", ">f", "2>&1", "<a ", "if ",
    "then ", "fi", "! ", "\ncase a in ", "a) ", ";;", "esac", "x=1 ", "env ", "command ", "exec ",
]  # fmt: skip


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a `sudo` that only leaves a mark, and nothing else to run but `env`."""
    directory = tmp_path_factory.mktemp("programs")
    (directory / "sudo").write_text(f"#!/bin/sh\n: >'{directory}/mark'\n", encoding="utf-8")
    (directory / "sudo").chmod(0o755)
    (directory / "env").symlink_to(shutil.which("env") or "/usr/bin/env")
    (directory / "empty").mkdir()
    return directory


@pytest.mark.parametrize("shell", ["dash", "bash"])
@settings(max_examples=400)
@given(pieces=st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=10))
def test_what_a_shell_runs_is_found(shell: str, pieces: list[str], programs: Path) -> None:
    command = "".join(pieces)
    program = shutil.which(shell) or "/bin/sh"
    mark = programs / "mark"
    mark.unlink(missing_ok=True)
    done = subprocess.run(
        [program, "-c", command],
        cwd=programs / "empty",
        env={"PATH": str(programs)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
    )
    # bash goes on behind a here-document with an open substitution; for dash the text is wrong.
    assume(b"no closing" not in done.stderr and b"unexpected EOF" not in done.stderr)
    if mark.exists():
        assert judge(command).action == "ask"


# Size and depth


UNITS = [
    "(", '"$(', "$(", "`", "a;", "a|", "\\`", "\\\\`", "`$(\\`", "${", '"${', "<<a ", "<<a\n",
    "<<a\na\n", "<<a\n$(", "{ ", "f(){ f|f;", "f() ", "case x in ", "a)", "env -u ", "x=", "1",
    "\\", "'", '"', "#", "\n", "rm -r a/ ", "git -c ", "-- ", " ",
]  # fmt: skip


@pytest.mark.parametrize("unit", UNITS)
def test_the_longest_text_of_one_thing(unit: str) -> None:
    command = unit * (LONGEST // len(unit))
    assert judge(command).action == ("deny" if "f|f" in unit else "allow")
    assert judge("sudo;" + command).action == ("deny" if "f|f" in unit else "ask")


@pytest.mark.parametrize("unit", UNITS)
def test_the_work_grows_with_the_length(unit: str) -> None:
    def calls(length: int) -> int:
        count = 0

        def note(frame: FrameType, event: str, argument: object) -> None:
            nonlocal count
            count += event.endswith("call")

        before = sys.getprofile()
        sys.setprofile(note)
        try:
            judge("echo;" + unit * (length // len(unit)))
        finally:
            sys.setprofile(before)
        return count

    assert calls(16_000) < 4.5 * calls(4_000)


def test_depth() -> None:
    assert judge("$(" * 5000 + "sudo" + ")" * 5000).command == "sudo"
    assert judge('"$(' * 5000 + "sudo" + ')"' * 5000 + "; reboot").command == "reboot"
    assert judge("(" * 50_000 + "sudo" + ")" * 50_000 + "; reboot").command == "reboot"
    command = "sudo"
    while len(command) < LONGEST // 4:
        command = "echo `" + re.sub(r"[\\`]", r"\\\g<0>", command) + "`"
    assert judge(command).command == "sudo"
