"""What becomes of the processes that a plan started."""


def is_running(pid: int) -> bool:
    """Whether the process lives; a zombie, which only waits to be counted, does not."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
