"""The conversation over standard input and output: nothing else is ever printed there."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from pygls.io_ import run_async
from pygls.lsp.server import LanguageServer

_CHUNK = 1 << 16


def serve(server: LanguageServer, debug: bool = False) -> int:
    """Talk until the editor says `exit` or closes standard input; returns the exit code.

    As the protocol has it, that is 1 when `exit` comes without `shutdown`. Raises
    `KeyboardInterrupt` when the process is interrupted.
    """
    if not debug:  # pygls would print the tracebacks of requests that are refused
        logging.getLogger("pygls").setLevel(logging.CRITICAL)
    # Each edit of a long plan makes a hundred thousand objects, and drops as many: to look through
    # all of them for circles every time would cost as much as the rest.
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)
    output = _Output()
    with _standard_output_elsewhere():
        try:
            asyncio.run(_talk(server, output))
        except SystemExit as end:
            return int(end.code or 0)
        except EOFError:  # in the middle of a message
            return 0
        finally:
            server.shutdown()
            output.close()
    return 0


class _Output:
    """Standard output, for pygls alone. When nobody reads it any more, there is no more input."""

    def __init__(self) -> None:
        self.file = os.fdopen(os.dup(1), "wb")
        self.input: _Input | None = None

    def write(self, data: bytes) -> None:
        """Send a message."""
        try:
            self.file.write(data)
            self.file.flush()
        except OSError:
            if self.input is not None:
                self.input.take(b"")

    def close(self) -> None:
        """Send nothing any more."""
        with suppress(OSError):
            self.file.close()


@contextmanager
def _standard_output_elsewhere() -> Iterator[None]:
    """Whatever prints meanwhile does so on standard error."""
    sys.stdout.flush()
    before = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(before, 1)
        os.close(before)


class _Input(asyncio.StreamReader):
    """What comes in on standard input."""

    is_over = False

    def take(self, data: bytes) -> None:
        """Take in the next piece; an empty one is the last."""
        if self.is_over:
            return
        if data:
            self.feed_data(data)
        else:
            self.is_over = True
            self.feed_eof()


async def _talk(server: LanguageServer, output: _Output) -> None:
    output.input = reader = _Input()
    server.protocol.set_writer(output)
    # A thread of its own, and a daemon: one that waits for input cannot be ended.
    loop = asyncio.get_running_loop()
    threading.Thread(target=_read, args=(reader, loop), daemon=True).start()
    await run_async(
        stop_event=threading.Event(),
        reader=reader,
        protocol=server.protocol,
        error_handler=server.report_server_error,
    )


def _read(reader: _Input, loop: asyncio.AbstractEventLoop) -> None:
    """Hand over what comes in, until nothing comes any more."""
    data = b"more"
    with suppress(RuntimeError):  # the loop is closed: the conversation is over
        while data:
            try:
                data = os.read(0, _CHUNK)
            except OSError:
                data = b""
            loop.call_soon_threadsafe(reader.take, data)
