"""The limits and inputs that the operator sets for a run; the script cannot change them."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tisslang.sandbox import DEFAULT_PROFILE, PROFILES
from tisslang.syntax.lexer import RESERVED

DEFAULT_TIMEOUT = 300.0  # seconds for each RUN
DEFAULT_MAX_OUTPUT = 10 * 1024 * 1024  # bytes kept of each stream of a RUN

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)\Z")
_BYTES = re.compile(r"([0-9]+)([KMG]?)\Z")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


class Options:
    """The flags of `tiss run` as Python arguments; a bad value raises `ValueError`.

    `timeout` is a number of seconds or a duration such as "30s"; `max_output`, `max_memory` and
    `max_disk` are numbers of bytes or sizes such as "10M"; `var` and `env` are a mapping or a list
    of "NAME=VALUE"; `allow_command`, `deny_command` and `answer` are lists; `events` is a file that
    the events are written to. `on_event` is called with each event; `debug` lets an error inside a
    tool through instead of reporting it.
    """

    def __init__(
        self,
        *,
        var: Mapping[str, str] | Iterable[str] = (),
        env: Mapping[str, str] | Iterable[str] = (),
        timeout: float | str = DEFAULT_TIMEOUT,
        max_output: int | str = DEFAULT_MAX_OUTPUT,
        max_memory: int | str | None = None,
        max_processes: int | str | None = None,
        max_disk: int | str | None = None,
        sandbox_profile: str = DEFAULT_PROFILE,
        allow_network: bool = False,
        allow_command: Iterable[str] = (),
        deny_command: Iterable[str] = (),
        answer: Iterable[str] = (),
        yes: bool = False,
        keep_going: bool = False,
        non_interactive: bool = False,
        events: str | None = None,
        filename: str = "<script>",
        on_event: Callable[[dict[str, Any]], None] | None = None,
        debug: bool = False,
    ) -> None:
        self.var = _assignments(var, "var")
        self.env = _assignments(env, "env")
        self.timeout = parse_duration(timeout) if isinstance(timeout, str) else float(timeout)
        self.max_output = _size(max_output, "max_output", DEFAULT_MAX_OUTPUT)
        if not self.timeout >= 0:
            raise ValueError(f"timeout must be a time of 0 or more seconds, not {timeout!r}")
        if sandbox_profile not in PROFILES:
            raise ValueError(
                f"unknown sandbox profile {sandbox_profile!r}: choose from {', '.join(PROFILES)}"
            )
        self.sandbox_profile = sandbox_profile
        self.allow_network = allow_network
        profile = PROFILES[sandbox_profile]
        if profile.name == "strict" and (self.env or allow_network):
            given = "--env" if self.env else "--allow-network"
            raise ValueError(f"{given} has no place in the profile strict: use standard")
        self.limits = {
            "processes": _count(max_processes, "max_processes", profile.processes),
            "memory": _size(max_memory, "max_memory", profile.memory),
            "disk": _size(max_disk, "max_disk", profile.disk),
        }
        self.allow_command = _texts(allow_command, "allow_command")
        self.deny_command = _texts(deny_command, "deny_command")
        self.answer = _texts(answer, "answer")
        self.yes = yes
        self.keep_going = keep_going
        self.non_interactive = non_interactive
        self.events = events
        self.filename = filename
        self.on_event = on_event
        self.debug = debug


def parse_duration(text: str) -> float:
    """Seconds of `500ms`, `1.5s`, `5m`, `2h`; else `ValueError`."""
    match = _DURATION.match(text)
    if not match:
        raise ValueError(f"{text!r} is not a duration: write a number and a unit, as in 30s or 5m")
    return float(match[1]) * _SECONDS[match[2]]


def parse_bytes(text: str) -> int:
    """Bytes of `1000`, `512K`, `10M`, `4G`; else `ValueError`."""
    match = _BYTES.match(text)
    if not match:
        raise ValueError(f"{text!r} is not a size: write a whole number, or one with K, M or G")
    return int(match[1]) * _UNITS[match[2]]


def parse_assignment(text: str) -> tuple[str, str]:
    """Name and value of `NAME=VALUE`; else `ValueError`."""
    name, sign, value = text.partition("=")
    if not sign or not _NAME.match(name):
        raise ValueError(f"{text!r} is not NAME=VALUE with a name of letters, digits and _")
    return name, value


def _size(given: int | str | None, option: str, default: int) -> int:
    """A number of bytes, or a text such as "10M"."""
    try:
        size = default if given is None else parse_bytes(given) if isinstance(given, str) else given
    except ValueError as error:
        raise ValueError(f"{option}: {error}") from None
    if size < 0:
        raise ValueError(f"{option} must be 0 or more bytes, not {given!r}")
    return size


def _count(given: int | str | None, option: str, default: int) -> int:
    if given is None:
        return default
    text = str(given)
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise ValueError(f"{option} must be a whole number of 1 or more, not {given!r}")
    return int(text)


def _texts(given: Iterable[str], option: str) -> list[str]:
    if isinstance(given, str):
        raise ValueError(f"{option} must be a list of texts, not one text")
    return list(given)


def _assignments(given: Mapping[str, str] | Iterable[str], option: str) -> dict[str, str]:
    if isinstance(given, str):
        raise ValueError(f"{option} must be a mapping or a list of 'NAME=VALUE', not one text")
    pairs = given.items() if isinstance(given, Mapping) else map(parse_assignment, given)
    checked: dict[str, str] = {}
    for name, value in pairs:
        if not _NAME.match(name):
            raise ValueError(f"{option}: {name!r} is not a name of letters, digits and _")
        if option == "var" and name in RESERVED:
            raise ValueError(f"var: {name} is a word of the language, not a name")
        if not isinstance(value, str):
            raise ValueError(f"{option}: the value of {name} must be text, not {value!r}")
        if "\0" in value and option == "env":
            raise ValueError(f"env: the value of {name} holds a NUL character")
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            raise ValueError(f"{option}: the value of {name} is not valid Unicode text") from None
        checked[name] = value
    return checked
