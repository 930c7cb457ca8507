"""What a command sees of the operator's environment: next to nothing."""

import os
import sys

from tisslang.environment import command_environment


def test_the_environment_holds_little() -> None:
    outer = {
        "PATH": "/usr/bin:relative::./x:/bin:/usr/bin",
        "HOME": "/home/me",
        "LANG": "de_DE.ISO-8859-1",
        "LC_ALL": "C",
        "LC_TIME": "de_DE.UTF-8",
        "TERM": "xterm",
        "API_KEY": "secret",
        "LD_PRELOAD": "x.so",
    }
    inner = command_environment(outer, "/h", "/t", {"EXTRA": "1"})
    assert inner == {
        "PATH": f"{os.path.dirname(sys.executable)}:/usr/bin:/bin",
        "HOME": "/h",
        "TMPDIR": "/t",
        "LANG": "C.UTF-8",
        "LC_TIME": "de_DE.UTF-8",
        "TERM": "xterm",
        "EXTRA": "1",
    }
    outer["LANG"] = "en_GB.utf8"
    assert command_environment(outer, "/h", "/t", {})["LANG"] == "en_GB.utf8"
