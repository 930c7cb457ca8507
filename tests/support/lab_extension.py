"""The lab extension that `make setup` has built from editors/jupyterlab."""

from pathlib import Path

from missing import missing

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "editors" / "jupyterlab"
COLOURS = ROOT / "tisslang" / "jupyter" / "static" / "colours.js"


def built_extension() -> Path:
    """Its folder. Where it is missing or old the test is skipped; where CI is set, it fails."""
    built = ROOT / "build" / "labextension"
    manifest = built / "install.json"  # written last
    sources = [*SOURCES.glob("*.js*"), *SOURCES.glob("source/*"), COLOURS]
    if not manifest.exists():
        reason = "the lab extension is not built: `make setup` does it where npm is"
    elif manifest.stat().st_mtime < max(source.stat().st_mtime for source in sources):
        reason = "the lab extension is older than its sources: `make setup` builds it anew"
    else:
        return built
    missing(reason)
