"""A server for tests of agents over HTTP: a real one, on loopback, that answers as a test wants.

    with ChatServer(lambda request: completion("hello")) as server:
        … server.url …  server.requests …

An answer is the bytes that go over the connection, or pieces of them, so it can be anything that a
server might do: a drip, half an answer, nothing at all. The connection is closed behind it.
"""

import contextlib
import http.server
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

MODEL = "small-model"


class Request(NamedTuple):
    method: str
    path: str
    headers: dict[str, str]  # names in lower case
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


Answer = bytes | Iterable[bytes]


def response(body: bytes | str | Any, status: int = 200, headers: str = "") -> bytes:
    """A whole answer; what is neither bytes nor text is sent as JSON. `headers` end in CRLF."""
    if not isinstance(body, bytes):
        body = (body if isinstance(body, str) else json.dumps(body)).encode()
    return f"HTTP/1.1 {status} x\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body


def completion(text: Any, **more: Any) -> bytes:
    """What the chat API answers, with `usage=…` or other fields."""
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return response({"object": "chat.completion", "choices": [choice], **more})


def models(*names: str) -> bytes:
    """What the chat API answers to GET /models."""
    return response({"object": "list", "data": [{"id": name} for name in names]})


class ChatServer:
    """Serves inside a `with` block; `answer` is asked for each request, GET …/models apart.

    After the block its port is closed and its threads have ended. `stopping` is set when it ends:
    an answer that takes long waits for it, as in `stopping.wait(1)`.
    """

    def __init__(
        self,
        answer: Callable[[Request], Answer],
        list_models: Callable[[Request], Answer] = lambda request: models(MODEL, "other"),
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.requests: list[Request] = []
        self.stopping = threading.Event()
        self._answers = (list_models, answer)
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.owner = self  # type: ignore[attr-defined]
        self._tls = tls
        if tls:
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.port = self._server.server_address[1]
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}/v1"

    @property
    def chats(self) -> list[Request]:
        """The requests that were no GET."""
        return [request for request in self.requests if request.method != "GET"]

    def answer_to(self, request: Request) -> Iterator[bytes]:
        self.requests.append(request)
        answer = self._answers[request.method != "GET"](request)
        yield from [answer] if isinstance(answer, bytes) else answer

    def drip(self, data: bytes, seconds: float) -> Iterator[bytes]:
        """The bytes one by one, with a pause after each, until the server stops."""
        for i in range(len(data)):
            yield data[i : i + 1]
            if self.stopping.wait(seconds):
                return

    def silence(self) -> Iterator[bytes]:
        """Nothing, for as long as the server runs."""
        self.stopping.wait()
        yield b""

    def __enter__(self) -> "ChatServer":
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()  # waits for the threads of the connections


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = False  # so that the end waits for them
    request_queue_size = 64


class _Handler(http.server.BaseHTTPRequestHandler):
    timeout = 20  # seconds for a client that says nothing, or takes nothing

    def handle(self) -> None:
        # A client that goes away, or never speaks TLS, is part of the tests.
        with contextlib.suppress(OSError):
            super().handle()

    def do_POST(self) -> None:
        owner: ChatServer = self.server.owner  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.close_connection = True
        for piece in owner.answer_to(Request(self.command, self.path, headers, body)):
            self.wfile.write(piece)
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)

    do_GET = do_POST

    def log_message(self, format: str, *args: Any) -> None:
        pass
