"""tiss, loaded: forks for each run that warm.py asks for on the socket that is its argument."""

import contextlib
import json
import os
import socket
import sys
from typing import Any


def serve(channel: socket.socket) -> dict[str, Any]:
    """Fork at each order; returns it in the new process. Ends with the tests."""
    while True:
        message, descriptors, _, _ = socket.recv_fds(channel, 1 << 20, 16)
        if not message:
            os._exit(0)
        middle = os.fork()
        if middle == 0:
            middle = os.getpid()
            if os.fork():
                os._exit(0)
            while os.getppid() == middle:  # until it is the child of the tests
                os.sched_yield()
            channel.send(str(os.getpid()).encode())
            channel.close()
            order: dict[str, Any] = json.loads(message)
            take(descriptors, order["kept"])
            return order
        os.waitpid(middle, 0)
        for descriptor in descriptors:
            os.close(descriptor)


def take(descriptors: list[int], kept: list[int]) -> None:
    """Have these files as 0, 1, 2 and the numbers in `kept`, and no other."""
    beyond = max(*descriptors, *kept) + 1
    moved = [os.dup2(descriptor, beyond + n) for n, descriptor in enumerate(descriptors)]
    wanted = [0, 1, 2, *kept]
    for descriptor in set(range(beyond + len(moved))) - set(moved):
        with contextlib.suppress(OSError):
            os.close(descriptor)
    for source, number in zip(moved, wanted):
        os.dup2(source, number)
        os.close(source)


def main() -> int:
    """Load all that `tiss run` loads, and become it when it is wanted."""
    import tisslang.adapters.without_model
    import tisslang.cli
    import tisslang.cli.explanation
    import tisslang.cli.progress
    import tisslang.cli.run
    import tisslang.engine
    import tisslang.preparation
    import tisslang.sandbox.advice
    import tisslang.summary

    order = serve(socket.socket(fileno=int(sys.argv[1])))
    os.setsid()
    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["environment"])
    return tisslang.cli.main(order["arguments"])


if __name__ == "__main__":
    sys.exit(main())
