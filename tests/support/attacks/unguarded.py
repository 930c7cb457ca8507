"""No guard at all: careless.py stands where tiss would, for attacks that `none` stops too."""

import os

from attacks.variant import REPOSITORY, SUPPORT, Variant, interpreter


class Careless(Variant):
    """A variant whose `tiss` is careless.py."""

    def command(self, *arguments: str) -> list[str]:
        """careless.py as a module: that puts the root at the head of the module path."""
        folder = ".".join(SUPPORT.relative_to(REPOSITORY).parts)
        return [interpreter(self.uid), "-m", f"{folder}.careless", *arguments]

    def missing(self) -> str:
        """It is always there."""
        return ""


CARELESS = Careless("none", "root" if os.geteuid() == 0 else "user")
