"""Run a command as an ordinary user: as_user.py UID COMMAND…, to be started by root."""

import os
import sys
import warnings  # noqa: F401 -- execvp wants it, and the user may not read our library


def main() -> None:
    """Become the user, in no other group, and execute the command."""
    user, command = int(sys.argv[1]), sys.argv[2:]
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    os.environ["USER"] = os.environ["LOGNAME"] = str(user)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
