"""The address of a model server: what a URL says, and what of it may be shown."""

from typing import NamedTuple
from urllib.parse import unquote, urlsplit

_PORTS = {"http": 80, "https": 443}
_COMPLETIONS = "/chat/completions"


class Address(NamedTuple):
    """Where a server is. `path` has no slash at its end; `query` is empty or begins with `?`."""

    scheme: str
    host: str
    port: int
    path: str
    query: str
    model: str | None  # that of `?model=NAME`

    def __str__(self) -> str:
        # Without the query: an address may hold a key in it.
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.path}"

    def target(self, path: str) -> str:
        """What a request line names for a path below this address."""
        return f"{self.path}{path}{self.query}"


def parse_address(url: str) -> Address:
    """The address that a URL means, `ValueError` when it means none.

    Without a path the API is at `/v1`; a path may end in `/chat/completions` or not.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # its text may hold a part of the URL: see _wrong
        raise _wrong("its host or its port is malformed") from None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise _wrong("it does not begin with http:// or https:// and a host")
    if "@" in parts.netloc:
        raise _wrong("it holds a name or a password: set the variable TISS_API_KEY instead")
    if parts.fragment:
        raise _wrong("it holds a #: write it as %23")
    path = parts.path.rstrip("/").removesuffix(_COMPLETIONS)
    model, others = None, []
    for part in filter(None, parts.query.split("&")):
        name, _, value = part.partition("=")
        if name == "model":
            model = unquote(value)
        else:
            others.append(part)
    if model == "":
        raise _wrong("its model= is empty: write ?model=NAME, or leave it out")
    query = "?" + "&".join(others) if others else ""
    if not all("!" <= character <= "~" for character in parts.netloc + path + query):
        raise _wrong("it holds a character that is no part of a URL: write it as %XX")
    return Address(
        parts.scheme,
        parts.hostname,
        _PORTS[parts.scheme] if port is None else port,
        path if parts.path.strip("/") else "/v1",
        query,
        model,
    )


def _wrong(reason: str) -> ValueError:
    # The URL is not repeated: whoever has it wrong may have written a password into it.
    return ValueError(
        f"the URL of the agent cannot be used: {reason}; expected http://HOST:PORT/v1, "
        "with ?model=NAME after it where the server has several models"
    )
