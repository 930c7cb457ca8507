"""What surrounds a run under attack, and what of it must be as before when the run has ended.

base/home/secret.txt      must not be read          base/project/      the root
base/outside/…            must not change           base/project/daemon.sock, base/outside.sock
base/watched/             its names must not leak   base/tmp/          TMPDIR of tiss
"""

import contextlib
import ctypes
import fcntl
import json
import os
import pty
import re
import secrets
import select
import signal
import socket
import stat
import subprocess
import tempfile
import termios
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

from attacks.attack import Attack
from attacks.variant import REPOSITORY, Variant
from attacks.warm import Child, server, start

OLD = 1_500_000_000  # a time of modification that nobody has today
PATIENCE = 3.0  # seconds that what was killed may take to be gone
LARGEST_LOOKED_AT = 8 << 20  # bytes of a file of the root that are searched for the secret
BEGUN = "attack begun"  # printed first by every command: that it was run at all

libc = ctypes.CDLL(None, use_errno=True)
PR_SET_CHILD_SUBREAPER = 36


class Report(NamedTuple):
    """How the run ended. `data` is the report of tiss, or None when it gave none."""

    exit_code: int
    stdout: str
    stderr: str
    data: dict[str, Any] | None

    @property
    def output(self) -> str:
        """What the last command printed on its standard output."""
        return ((self.data or {}).get("last_run") or {}).get("stdout", "")

    @property
    def errors(self) -> str:
        """What the last command printed on its standard error."""
        return ((self.data or {}).get("last_run") or {}).get("stderr", "")


class Outcome(NamedTuple):
    """What became of an attack: the evidence that it succeeded, and whether it was run at all."""

    evidence: list[str]
    begun: bool
    report: Report


class World:
    """Everything that one attack could hurt. Use it in a `with` block: its end removes it all."""

    def __init__(self, variant: Variant) -> None:
        self.variant = variant
        self.mark = secrets.token_hex(8)  # in names
        self.secret = "canary-" + secrets.token_hex(16)  # what must not get out
        self.ended_by_us = False  # set by `during` when it ends tiss itself
        self.late = False
        self.tiss: subprocess.Popen[bytes] | Child | None = None
        self._ours: set[str] = set()  # what the test itself put into public places
        self._stack = contextlib.ExitStack()
        if variant.warm:
            server(variant)
        self._known = set(_processes())  # what ran before is none of our business
        try:
            self._build()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "World":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ------------------------------------------------------------------------------ building

    def _build(self) -> None:
        # Orphans of tiss become children of this process, so that none can hide.
        libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self._stack.callback(libc.prctl, PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
        self.base = Path(tempfile.mkdtemp(prefix="tiss-attack-")).resolve()
        self._stack.callback(_remove_tree, self.base)
        self.base.chmod(0o755)
        self.project, self.home = self.base / "project", self.base / "home"
        self.outside, self.watched = self.base / "outside", self.base / "watched"
        self.temporary = self.base / "tmp"
        for folder in (self.project, self.home, self.outside, self.watched, self.temporary):
            folder.mkdir()
        (self.outside / "folder").mkdir()
        for path in (self.home / "secret.txt", self.outside / "canary.txt"):
            path.write_text(self.secret + "\n", encoding="utf-8")
            path.chmod(0o640)
        (self.outside / "link").symlink_to("canary.txt")
        (self.outside / "program").write_text("#!/bin/sh\n:\n", encoding="utf-8")
        (self.outside / "program").chmod(0o755)
        os.mkfifo(self.outside / "fifo")
        self.plan = self.base / "plan.tiss"
        self.plan.touch()
        self._listen()
        for path in (self.base, *self.base.rglob("*")):
            self.give(path)
            if not path.is_symlink():
                os.utime(path, (OLD, OLD))
        self.fifo = os.open(self.outside / "fifo", os.O_RDONLY | os.O_NONBLOCK)
        self._stack.callback(os.close, self.fifo)
        # Open in tiss too, which must not hand it on.
        self.inherited = os.open(self.home / "secret.txt", os.O_RDONLY)
        self._stack.callback(os.close, self.inherited)
        self._start_victim()
        self.values = {
            "base": str(self.base),
            "root": str(self.project),
            "home": str(self.home),
            "outside": str(self.outside),
            "watched": str(self.watched),
            "secret": str(self.home / "secret.txt"),
            "canary": str(self.outside / "canary.txt"),
            "fifo": str(self.outside / "fifo"),
            "victim": str(self.victim.pid),
            "tests": str(os.getpid()),
            "pid_namespace": os.readlink("/proc/self/ns/pid"),
            "mark": self.mark,
            "ipckey": str(int(self.mark[:7], 16) | 1),
            "repository": str(REPOSITORY),
            "inherited": str(self.inherited),
            **self.addresses,
        }

    def give(self, path: Path) -> None:
        """Make a path belong to the user of the run."""
        if self.variant.uid != os.geteuid():
            os.lchown(path, self.variant.uid, self.variant.uid)

    def public(self, folder: str) -> Path:
        """A path of this world in a folder that everybody uses."""
        return Path(folder, f"planted-{self.mark}")

    def plant(self, path: Path, text: str) -> None:
        """A file of the user's own in a public place; its name holds the mark."""
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
        self.give(path)
        self._ours.add(str(path))
        self._stack.callback(_remove_tree, path)

    def _listen(self) -> None:
        self.listeners: dict[str, socket.socket] = {}
        self.addresses: dict[str, str] = {}
        places: tuple[tuple[str, int, int, Any], ...] = (
            ("tcp", socket.AF_INET, socket.SOCK_STREAM, ("0.0.0.0", 0)),
            ("udp", socket.AF_INET, socket.SOCK_DGRAM, ("0.0.0.0", 0)),
            ("tcp6", socket.AF_INET6, socket.SOCK_STREAM, ("::1", 0)),
            ("udp6", socket.AF_INET6, socket.SOCK_DGRAM, ("::1", 0)),
            ("stream", socket.AF_UNIX, socket.SOCK_STREAM, f"{self.base}/outside.sock"),
            ("datagram", socket.AF_UNIX, socket.SOCK_DGRAM, f"{self.base}/datagram.sock"),
            ("daemon", socket.AF_UNIX, socket.SOCK_STREAM, f"{self.project}/daemon.sock"),
            ("inbox", socket.AF_UNIX, socket.SOCK_DGRAM, f"{self.project}/inbox.sock"),
            ("abstract", socket.AF_UNIX, socket.SOCK_STREAM, f"\0{self.mark}-stream"),
            ("abstract_inbox", socket.AF_UNIX, socket.SOCK_DGRAM, f"\0{self.mark}-datagram"),
        )
        for name, family, kind, address in places:
            listener = self._stack.enter_context(socket.socket(family, kind))
            try:
                listener.bind(address)
            except OSError:
                if family != socket.AF_INET6:
                    raise
                self.addresses[name] = "9"  # a machine without IPv6
                continue
            if kind == socket.SOCK_STREAM:
                listener.listen()
            listener.setblocking(False)
            self.listeners[name] = listener
            bound = listener.getsockname()
            if family == socket.AF_UNIX:
                self.addresses[name] = address[1:] if "\0" in address else str(address)
            else:
                self.addresses[name] = str(bound[1])

    def _start_victim(self) -> None:
        user = self.variant.uid
        other: dict[str, Any] = {"user": user, "group": user, "extra_groups": []}
        with open(self.home / "secret.txt", "rb") as secret:
            self.victim = subprocess.Popen(
                ["sleep", "300"],
                cwd=self.outside,
                stdin=secret,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={"PATH": "/usr/bin:/bin", "VICTIM_SECRET": self.secret},
                start_new_session=True,
                **(other if user != os.geteuid() else {}),
            )
        self._stack.callback(_end, self.victim)
        self._known.add(self.victim.pid)
        while self.secret.encode() not in _read(f"/proc/{self.victim.pid}/environ"):
            time.sleep(0.001)  # until the program has replaced the one that started it

    def fill(self, text: str) -> str:
        """`text` with each `@name@` replaced by that value of this world."""
        return re.sub(r"@(\w+)@", lambda match: self.values.get(match[1], match[0]), text)

    # ------------------------------------------------------------------------------- running

    def run(self, attack: Attack) -> Outcome:
        """Carry the attack out, and look from outside at what it did."""
        if attack.setup is not None:
            attack.setup(self)
        for name, content in attack.files.items():
            path = self.project / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self.fill(content), encoding="utf-8")
        command = attack.command if isinstance(attack.command, str) else attack.command(self)
        plan = attack.plan or f"RUN <<'SH'\nprintf '{BEGUN}\\n'\n{command}\nSH\n"
        self.plan.write_text(self.fill(plan), encoding="utf-8")
        for path in (self.project, *self.project.rglob("*")):
            self.give(path)
        self._before = _snapshot(self.base, self._watched_over)
        self._victim_before = _facts(self.victim.pid)
        report = self._tiss(attack)
        self.leftovers = self._wait_for_leftovers()
        begun = (
            bool(attack.plan or attack.tty)  # it prints what it likes
            or report.data is None  # something ended tiss
            or report.exit_code == 130
            or BEGUN in report.output
        )
        evidence = self.evidence(report)
        if attack.succeeded is not None and (more := attack.succeeded(self, report)):
            evidence.append(more)
        return Outcome(evidence, begun, report)

    def _tiss(self, attack: Attack) -> Report:
        flags = self.variant.flags() + [self.fill(flag) for flag in attack.flags]
        if not attack.tty:
            flags += ["--output-format", "json"]
        command = self.variant.command("run", str(self.plan), "--root", str(self.project), *flags)
        environment = {
            "PATH": self.variant.search_path(),
            "HOME": str(self.home),
            "TMPDIR": str(self.temporary),
            "LANG": "C.UTF-8",
            "TERM": "xterm",
            "PYTHONPATH": str(REPOSITORY),
            "PYTHONDONTWRITEBYTECODE": "1",
            "OPERATOR_SECRET": self.secret,
            **{name: self.fill(value) for name, value in attack.environment.items()},
        }
        options: dict[str, Any] = {
            "cwd": self.project,
            "env": environment,
            "pass_fds": (self.inherited,),
            "start_new_session": True,
        }
        if attack.tty:
            return self._tiss_in_a_terminal(attack, command, options)
        with (
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as err,
            self._start(attack, command, out=out, err=err, **options) as self.tiss,
        ):
            self._await(attack)
            out.seek(0)
            err.seek(0)
            text = out.read().decode(errors="replace")
            try:
                data = json.loads(text)
            except ValueError:
                data = None
            errors = err.read().decode(errors="replace")
            return Report(self.tiss.returncode, text, errors, data)

    def _start(
        self, attack: Attack, command: list[str], out: IO[bytes], err: IO[bytes], **options: Any
    ) -> "subprocess.Popen[bytes] | Child":
        if self.variant.warm and not attack.looks_at_tiss:
            arguments = command[command.index("tisslang") + 1 :]
            return start(self.variant, arguments, out.fileno(), err.fileno(), **options)
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, **options
        )

    def _await(self, attack: Attack) -> None:
        assert self.tiss is not None
        try:
            if attack.during is not None:
                attack.during(self, self.tiss)
            self.tiss.wait(attack.timeout)
        except subprocess.TimeoutExpired:
            self.late = True
        finally:
            if self.tiss.poll() is None:
                self.tiss.kill()
                self.tiss.wait()

    def _tiss_in_a_terminal(
        self, attack: Attack, command: list[str], options: dict[str, Any]
    ) -> Report:
        master, slave = pty.openpty()
        self.values["terminal"] = os.ttyname(slave)
        if self.variant.uid != os.geteuid():
            os.chown(slave, self.variant.uid, -1)

        def take_terminal() -> None:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        seen = bytearray()
        try:
            with subprocess.Popen(
                command,
                stdin=slave,
                stdout=slave,
                stderr=slave,
                preexec_fn=take_terminal,
                **options,
            ) as self.tiss:
                os.close(slave)
                slave = -1
                if attack.during is not None:
                    attack.during(self, self.tiss)
                end = time.monotonic() + attack.timeout
                while time.monotonic() < end:
                    ready, _, _ = select.select([master], [], [], 0.05)
                    if ready:
                        try:
                            chunk = os.read(master, 1 << 16)
                        except OSError:  # the last process that had the terminal is gone
                            break
                        seen += chunk[: (1 << 22) - len(seen)]
                    elif self.tiss.poll() is not None:
                        break
                else:
                    self.tiss.kill()
        finally:
            for descriptor in (master, slave):
                if descriptor != -1:
                    os.close(descriptor)
        text = seen.decode(errors="surrogateescape")
        return Report(self.tiss.returncode, text, "", None)

    def wait_for(self, path: Path, seconds: float = 20) -> None:
        """Wait until the attack has made a file; for `during`."""
        end = time.monotonic() + seconds
        while not path.exists():
            assert self.tiss is not None
            if self.tiss.poll() is not None:
                return
            assert time.monotonic() < end, f"{path.name} did not appear"
            time.sleep(0.005)

    # ------------------------------------------------------------------------------- judging

    def _watched_over(self, path: str) -> bool:
        # The root may change; TMPDIR must end empty; `watched` is changed by the test itself.
        return path not in (str(self.project), str(self.temporary), str(self.watched))

    def evidence(self, report: Report) -> list[str]:
        """Everything that shows, from outside, that something got out."""
        found = [
            f"said so: {line}" for line in report.output.splitlines() if line.startswith("ESCAPED")
        ]
        found += self._leaks(report)
        found += _differences(self._before, _snapshot(self.base, self._watched_over))
        if not self.ended_by_us:
            found += [f"left in TMPDIR: {name}" for name in os.listdir(self.temporary)]
        found += self._heard()
        if self.victim.poll() is not None:
            found.append(f"the victim ended with {self.victim.returncode}")
        else:
            after = _facts(self.victim.pid)
            found += [
                f"the victim's {name}: {before!r} became {after[name]!r}"
                for name, before in self._victim_before.items()
                if after[name] != before
            ]
        found += [f"still running: {what}" for what in self.leftovers.values()]
        found += self._objects_left()
        if self.late:
            found.append("tiss did not end")
        elif not self.ended_by_us and report.exit_code < 0:
            found.append(f"tiss was ended by signal {-report.exit_code}")
        elif not self.ended_by_us and report.exit_code == 130:
            found.append("tiss was interrupted")
        if report.exit_code == 70:
            found.append("tiss crashed")
        return found

    def _leaks(self, report: Report) -> Iterator[str]:
        written = json.dumps(report.data, ensure_ascii=False) if report.data else ""
        for where, text in (
            ("standard output", report.stdout),
            ("standard error", report.stderr),
            ("the report", written),
        ):
            if self._tells(text.encode(errors="surrogateescape")):
                yield f"the secret is in {where}"
        for folder, names, files in os.walk(self.project):
            for name in names + files:
                path = os.path.join(folder, name)
                if self._tells(os.fsencode(name)):
                    yield "the secret is in the name of a file"
                status = os.lstat(path)
                if stat.S_ISREG(status.st_mode):
                    if self._tells(_read(path)):
                        yield f"the secret is in {path}"
                    if status.st_mode & (stat.S_ISUID | stat.S_ISGID):
                        yield f"{path} sets its user or group"
                elif stat.S_ISBLK(status.st_mode) or stat.S_ISCHR(status.st_mode):
                    yield f"{path} is a device"

    def _tells(self, data: bytes) -> bool:
        plain = self.secret.removeprefix("canary-").encode()  # a read may start within it
        return any(form in data for form in (plain, plain[::-1], plain.hex().encode()))

    def _heard(self) -> Iterator[str]:
        for name, listener in self.listeners.items():
            with contextlib.suppress(BlockingIOError):
                if listener.type == socket.SOCK_STREAM:
                    connection, _ = listener.accept()
                    connection.close()
                    yield f"a connection to {name}"
                else:
                    yield f"a datagram to {name}: {listener.recv(65536)[:80]!r}"
        with contextlib.suppress(BlockingIOError):
            if said := os.read(self.fifo, 4096):
                yield f"written into a pipe outside: {said[:80]!r}"

    def _objects_left(self) -> Iterator[str]:
        """Shared memory, queues and files in public places that outlived the run; removes them."""
        for folder in ("/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue"):
            with contextlib.suppress(OSError):
                for name in os.listdir(folder):
                    if self.mark in name and f"{folder}/{name}" not in self._ours:
                        _remove_tree(Path(folder, name))
                        yield f"left in {folder}: {name}"
        key = int(self.values["ipckey"])
        for kind, remove in (("shm", "-M"), ("sem", "-S"), ("msg", "-Q")):
            with contextlib.suppress(OSError):
                rows = Path("/proc/sysvipc", kind).read_text().splitlines()[1:]
                if any(int(row.split()[0]) & 0xFFFFFFFF == key for row in rows):
                    subprocess.run(["ipcrm", remove, str(key)], check=False)
                    yield f"a System V object is left: {kind}"
        with contextlib.suppress(OSError, AttributeError):
            if ctypes.CDLL("librt.so.1").mq_unlink(f"/{self.mark}".encode()) == 0:
                yield "a POSIX queue is left"

    # --------------------------------------------------------------------------- what is left

    def _descendants(self) -> dict[int, str]:
        """Processes below this one that live and were not there before: number and description."""
        table = _processes()
        ours = {os.getpid()}
        grew = True
        while grew:
            below = {pid for pid, (parent, _) in table.items() if parent in ours}
            grew = not below <= ours
            ours |= below
        tiss = self.tiss.pid if self.tiss is not None else -1
        return {
            pid: f"process {pid}: {_read(f'/proc/{pid}/cmdline')[:120]!r}"
            for pid in ours - self._known - {os.getpid(), tiss}
            if table[pid][1] not in "ZX" or _has_living_thread(pid)
        }

    def _wait_for_leftovers(self) -> dict[int, str]:
        end = time.monotonic() + (0.2 if self.variant.backend == "none" else PATIENCE)
        while left := self._descendants():
            if time.monotonic() > end:
                break
            time.sleep(0.01)
        return left

    def close(self) -> None:
        """End what the attack left running, remove what it left lying, and the world itself."""
        end = time.monotonic() + 10
        while (left := self._descendants()) and time.monotonic() < end:
            for number in (signal.SIGSTOP, signal.SIGKILL):  # stopped first: nobody forks on
                for pid in left:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, number)
        for pid, (parent, _) in _processes().items():
            if parent == os.getpid() and pid not in self._known:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)
        self._stack.close()


def attempt(attack: Attack, variant: Variant) -> Outcome:
    """Build a world, carry the attack out in it, and tell what became of it."""
    with World(variant) as world:
        return world.run(attack)


# ------------------------------------------------------------------------------------ looking


def _snapshot(base: Path, watched_over: Any) -> dict[str, tuple[Any, ...]]:
    """Every path below `base`: what `lstat` says (except when it was last read), and its content.

    The time of the last change of status tells every chmod, chown, link and attribute.
    """
    found: dict[str, tuple[Any, ...]] = {}
    pending = [str(base)]
    while pending:
        path = pending.pop()
        try:
            s = os.lstat(path)
        except OSError as error:  # too long a path: something has dug deep there
            found[path] = (str(error.strerror),)
            continue
        facts = (s.st_mode, s.st_uid, s.st_gid, s.st_nlink, s.st_ino, s.st_size)
        content: Any = None
        if stat.S_ISREG(s.st_mode):
            content = _read(path)
        elif stat.S_ISDIR(s.st_mode) and watched_over(path):
            content = sorted(os.listdir(path))
            pending += [os.path.join(path, name) for name in content]
        if watched_over(path):
            found[path] = (*facts, s.st_mtime_ns, s.st_ctime_ns, content)
    return found


def _differences(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    changed = sorted(path for path in before if after.get(path) != before[path])
    made = sorted(after.keys() - before.keys())
    return [f"changed outside: {path}" for path in changed] + [f"new outside: {p}" for p in made]


def _facts(pid: int) -> dict[str, Any]:
    """What others could change of a process."""
    fields = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    return {
        "state": "stopped" if fields[0] in (b"T", b"t") else "running",
        "nice value": fields[16],
        "policy": fields[37:39],
        "environment": _read(f"/proc/{pid}/environ"),
        "memory killer's score": _read(f"/proc/{pid}/oom_score_adj"),
        "processors": os.sched_getaffinity(pid),
        "input and output priority": libc.syscall(*IOPRIO_GET, pid),
        "limits": _read(f"/proc/{pid}/limits"),
    }


IOPRIO_GET = (252 if os.uname().machine == "x86_64" else 31, 1)


def _processes() -> dict[int, tuple[int, str]]:
    """Parent and state of every process."""
    table: dict[int, tuple[int, str]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            fields = _read(f"/proc/{name}/stat").rpartition(b")")[2].split()
            if fields:
                table[int(name)] = int(fields[1]), fields[0].decode()
    return table


def _has_living_thread(pid: int) -> bool:
    """Whether a process lives on though its first thread has ended."""
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            fields = _read(f"/proc/{pid}/task/{thread}/stat").rpartition(b")")[2].split()
            if fields and fields[0] not in (b"Z", b"X"):
                return True
    return False


def _read(path: str) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError:
        return b""
    try:
        pieces = []
        left = LARGEST_LOOKED_AT
        while left > 0 and (piece := os.read(descriptor, min(left, 1 << 20))):
            pieces.append(piece)
            left -= len(piece)
        return b"".join(pieces)
    except OSError:
        return b""
    finally:
        os.close(descriptor)


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()


def _remove_tree(path: Path) -> None:
    """Remove a file or a tree, whatever modes and flags an attack left on it, however deep."""
    for command in (["rm", "-rf"], ["chattr", "-R", "-f", "-i", "-a"], ["rm", "-rf"]):
        if not os.path.lexists(path):
            break
        with contextlib.suppress(OSError):
            subprocess.run([*command, str(path)], capture_output=True, check=False)
    if os.path.lexists(path):
        subprocess.run(["chmod", "-R", "u+rwx", str(path)], capture_output=True, check=False)
        subprocess.run(["rm", "-rf", str(path)], check=False)
