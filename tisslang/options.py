"""The limits and inputs that the operator sets for a run; the script cannot change them."""

import os
import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from tisslang.adapters import read_spec
from tisslang.amounts import parse_bytes, parse_duration
from tisslang.costs import BUDGETS, RATES
from tisslang.sandbox import DEFAULT_PROFILE, PROFILES
from tisslang.syntax.lexer import RESERVED

if TYPE_CHECKING:
    from tisslang.question import Question

DEFAULT_TIMEOUT = 300.0  # seconds for each RUN
MAX_SECONDS = 1_000_000_000  # more than 30 years: what can be waited for
MAX_BYTES = 1 << 50
MAX_COUNT = 1_000_000_000
DEFAULT_JOBS = 4  # branches of a PARALLEL that run at once
DEFAULT_MAX_OUTPUT = 10 * 1024 * 1024  # bytes kept of each stream of a RUN

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_PLAIN_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?\Z")


class Options:
    """The flags of `tiss run` as Python arguments; a bad value raises `ValueError`.

    `timeout` is a number of seconds or a duration such as "30s"; `max_output`, `max_memory` and
    `max_disk` are numbers of bytes or sizes such as "10M"; `var` and `env` are a mapping or a list
    of "NAME=VALUE"; `allow_command`, `deny_command` and `answer` are lists; `events` is a file that
    the events are written to, `junit` one for a report that CI servers read. `budget` is a mapping
    or a list of "R=V"; `rates` says what a call of the model, a token and a RUN cost. `secret` is a
    list of environment variables whose values become variables and are masked in all that is shown.
    `step` and `from_step` choose top-level steps by their descriptions. `agent` is what
    `open_adapter` takes; `choose_by="agent"` lets it decide a CHOOSE. `jobs` branches of a PARALLEL
    run at once. `on_event` is called with each event, `ask` with each `Question` to a person, in
    the thread of the run: it shows the question and returns at once. `debug` lets an error inside a
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
        dry_run: bool = False,
        agent: str = "none",
        choose_by: str | None = None,
        jobs: int | str = DEFAULT_JOBS,
        budget: Mapping[str, float | str] | Iterable[str] = (),
        rates: Mapping[str, float] | None = None,
        secret: Iterable[str] = (),
        step: Iterable[str] = (),
        from_step: str | None = None,
        junit: str | None = None,
        events: str | None = None,
        filename: str = "<script>",
        on_event: Callable[[dict[str, Any]], None] | None = None,
        ask: "Callable[[Question], None] | None" = None,
        debug: bool = False,
    ) -> None:
        self.var = _assignments(var, "var")
        self.env = _assignments(env, "env")
        self.timeout = _timeout(timeout)
        self.max_output = _size(max_output, "max_output", DEFAULT_MAX_OUTPUT, least=0)
        if sandbox_profile not in PROFILES:
            what = f"is no profile: choose from {', '.join(PROFILES)}"
            raise ValueError(f"sandbox_profile: {sandbox_profile!r} {what}")
        self.sandbox_profile = sandbox_profile
        self.allow_network = allow_network
        profile = PROFILES[sandbox_profile]
        if profile.name == "strict" and (self.env or allow_network):
            given = "env" if self.env else "allow_network"
            raise ValueError(f"{given}: it has no place in the profile strict: use standard")
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
        self.dry_run = dry_run
        read_spec(agent)  # its form; whether the model can be had is found out when it is needed
        self.agent = agent
        if choose_by not in (None, "agent"):
            raise ValueError(f"choose_by: it must be 'agent', not {choose_by!r}")
        self.choose_by = choose_by
        self.jobs = _count(jobs, "jobs", DEFAULT_JOBS)
        self.budget = _budgets(budget)
        self.rates = _rates(rates or {})
        self.secrets = _secrets(secret, self.var)
        self.step = _texts(step, "step")
        self.from_step = from_step
        self.junit = junit
        self.non_interactive = non_interactive
        self.events = events
        self.filename = filename
        self.on_event = on_event
        self.ask = ask
        self.debug = debug


def parse_assignment(text: str, option: str) -> tuple[str, str]:
    """Name and value of `NAME=VALUE`, given for `option`; else `ValueError`."""
    name, sign, value = text.partition("=")
    if not sign:
        raise ValueError(f"{option}: {text!r} is not NAME=VALUE")
    return name, value


def require_name(name: str, option: str) -> None:
    """Raise `ValueError` for what cannot be the name of a variable, or of one of RUN's (`env`)."""
    if not _NAME.match(name):
        what = "it has letters, digits and _, and begins with no digit"
        raise ValueError(f"{option}: {name!r} is not a name: {what}")
    if option != "env" and name in RESERVED:
        raise ValueError(f"{option}: {name} is a word of the language, not a name")


def _timeout(given: float | str) -> float:
    try:
        seconds = parse_duration(given) if isinstance(given, str) else float(given)
    except ValueError as error:
        raise ValueError(f"timeout: {error}") from None
    if not 0 <= seconds <= MAX_SECONDS:
        raise ValueError(f"timeout: it must be from 0 s to {MAX_SECONDS:,} s, not {given!r}")
    return seconds


def _size(given: int | str | None, option: str, default: int, least: int = 1) -> int:
    """A number of bytes, or a text such as "10M"."""
    try:
        size = default if given is None else parse_bytes(given) if isinstance(given, str) else given
    except ValueError as error:
        raise ValueError(f"{option}: {error}") from None
    if not least <= size <= MAX_BYTES:
        raise ValueError(f"{option}: it must be from {least} to {MAX_BYTES:,} bytes, not {given!r}")
    return size


def _count(given: int | str | None, option: str, default: int) -> int:
    if given is None:
        return default
    text = str(given)
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:20]) <= MAX_COUNT:
        wanted = f"a whole number from 1 to {MAX_COUNT:,}"
        raise ValueError(f"{option}: it must be {wanted}, not {given!r}")
    return int(text)


def _budgets(given: Mapping[str, float | str] | Iterable[str]) -> dict[str, float]:
    """The operator's budgets: "COST=2.5", "EXECUTION_TIME=5m"."""
    if isinstance(given, str):
        raise ValueError("budget: it must be a mapping or a list of 'R=V', not one text")
    pairs: Iterable[Any] = (
        given.items()
        if isinstance(given, Mapping)
        else (text.partition("=")[::2] for text in given)
    )
    budgets: dict[str, float] = {}
    for name, value in pairs:
        if name not in BUDGETS:
            raise ValueError(f"budget: {name!r} is no budget: choose from {', '.join(BUDGETS)}")
        budgets[name] = _amount(name, value)
    return budgets


def _amount(name: str, value: float | str) -> float:
    wanted = "a number or a duration such as 5m" if name == "EXECUTION_TIME" else "a number"
    try:
        if isinstance(value, str) and not _PLAIN_NUMBER.match(value):
            if name != "EXECUTION_TIME":
                raise ValueError
            return parse_duration(value)
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"budget: {name} must be {wanted}, not {value!r}") from None
    if not 0 <= number < float("inf"):
        raise ValueError(f"budget: {name} must be 0 or more, not {value!r}")
    return number


def _rates(given: Mapping[str, float]) -> dict[str, float]:
    for name, rate in given.items():
        if name not in RATES:
            raise ValueError(f"rates: {name!r} has no rate: choose from {', '.join(RATES)}")
        if not isinstance(rate, int | float) or not 0 <= rate < float("inf"):
            raise ValueError(f"rates: {name} must be a number of 0 or more, not {rate!r}")
    return {name: float(rate) for name, rate in given.items()}


def _secrets(names: Iterable[str], var: Mapping[str, str]) -> dict[str, str]:
    """The environment variables of these names, which become variables."""
    secrets: dict[str, str] = {}
    for name in _texts(names, "secret"):
        require_name(name, "secret")
        if name in var:
            raise ValueError(f"secret: {name} is given by --var too")
        if name not in os.environ:
            raise ValueError(f"secret: the environment variable {name} is not set")
        secrets |= _assignments({name: os.environ[name]}, "secret")
    return secrets


def _texts(given: Iterable[str], option: str) -> list[str]:
    if isinstance(given, str):
        raise ValueError(f"{option}: it must be a list of texts, not one text")
    return list(given)


def _assignments(given: Mapping[str, str] | Iterable[str], option: str) -> dict[str, str]:
    if isinstance(given, str):
        raise ValueError(f"{option}: it must be a mapping or a list of 'NAME=VALUE', not one text")
    pairs: Iterable[tuple[str, str]] = (
        given.items()
        if isinstance(given, Mapping)
        else (parse_assignment(text, option) for text in given)
    )
    checked: dict[str, str] = {}
    for name, value in pairs:
        require_name(name, option)
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
