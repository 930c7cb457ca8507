"""Puts the built lab extension into the wheel, where JupyterLab finds it.

`make wheel` builds the extension and turns this on; an ordinary installation goes without.
"""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class LabExtension(BuildHookInterface):
    """Called by hatchling, which finds it through pyproject.toml."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the folder of the extension to the data of the wheel."""
        built = Path(self.root, "build", "labextension")
        if not (built / "install.json").is_file():
            raise FileNotFoundError(f"there is no lab extension in {built}: `make wheel` builds it")
        place = "share/jupyter/labextensions/@quantatissu/tisslang"
        build_data["shared_data"][str(built)] = place
