"""A call over HTTP that is bounded in time and size, and that can be given up at any moment."""

import contextlib
import http.client
import socket
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from tisslang.adapters.address import Address

MAX_BODY = 16 * 1024 * 1024  # bytes of an answer
_STEP = 64 * 1024  # bytes read at once
_LONGEST = 86_400.0  # seconds without a byte; more than some weeks is refused by sockets
_LOOK = 0.1  # seconds: how often a caller that waits looks whether it still should


class GivenUp(Exception):
    """Somebody ended the call."""


class TooLarge(Exception):
    """The answer has more than MAX_BODY bytes."""


class Answer(NamedTuple):
    """What a server sent."""

    status: int
    location: str | None  # where it sends us instead
    body: bytes


class Call:
    """`work(call)` in a thread of its own, while the caller waits as long as it likes.

    A socket's time-out bounds one step of a call, never the whole: a name server may hang, and a
    server may send a byte a second. So the caller keeps the time, and when it is up, or Ctrl-C
    comes, shuts the connection down, which ends the thread too.
    """

    def __init__(self, address: Address, work: Callable[["Call"], Any]) -> None:
        self._address = address
        self._work = work
        self._end = 0.0
        self._socket: socket.socket | None = None
        self._given_up = threading.Event()
        self._done = threading.Event()
        self._result: Any = None
        self._error: BaseException | None = None

    def result(self, timeout: float) -> Any:
        """What `work` returned, or its error; `TimeoutError`, or `GivenUp`, when that comes first.

        The thread is a daemon: one that is caught in a name server's silence holds up nobody.
        """
        self._end = time.monotonic() + timeout
        try:
            threading.Thread(target=self._run, daemon=True).start()
            while not self._done.wait(min(_LOOK, self._time_left())):
                if self._given_up.is_set():
                    break
            if self._given_up.is_set():
                raise GivenUp
            if self._error is not None:
                raise self._error
            return self._result
        finally:
            self.give_up()
            self._error = None  # it holds this frame, and this frame holds it

    def give_up(self) -> None:
        """End the call, from any thread."""
        self._given_up.set()
        if connected := self._socket:
            with contextlib.suppress(OSError):
                # Not the method of an SSLSocket, which is not made for another thread.
                socket.socket.shutdown(connected, socket.SHUT_RDWR)

    def exchange(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        """Send a request on a connection of its own, and read the answer. For `work` alone.

        No proxy is asked, and no redirect followed.
        """
        connection = self._connection()
        try:
            connection.connect()
            self._socket = connection.sock
            if self._given_up.is_set():  # looked at after the socket was named: see give_up
                raise GivenUp
            with contextlib.suppress(BrokenPipeError):  # a server may answer before it has read all
                connection.request(method, target, body or None, headers)
            with connection.getresponse() as response:
                good = 200 <= response.status < 300
                body = _body(response) if good else _begin(response)
                return Answer(response.status, response.getheader("Location"), body)
        finally:
            self._socket = None
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        scheme = self._address.scheme
        kind = http.client.HTTPSConnection if scheme == "https" else http.client.HTTPConnection
        if self._given_up.is_set():
            raise GivenUp
        limit = min(self._time_left(), _LONGEST)
        return kind(self._address.host, self._address.port, timeout=limit)

    def _time_left(self) -> float:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def _run(self) -> None:
        try:
            self._result = self._work(self)
        except BaseException as error:
            self._error = error
        finally:
            self._done.set()


def _body(response: http.client.HTTPResponse) -> bytes:
    body = bytearray()
    while piece := response.read(_STEP):
        body += piece
        if len(body) > MAX_BODY:
            raise TooLarge
    if response.length:  # bytes that were announced and did not come
        raise http.client.IncompleteRead(b"", response.length)
    return bytes(body)


def _begin(response: http.client.HTTPResponse) -> bytes:
    """Of the body of an error as much as is to be had: its status says the most."""
    try:
        return response.read(_STEP)
    except http.client.IncompleteRead as error:
        return error.partial
    except (OSError, http.client.HTTPException):
        return b""
