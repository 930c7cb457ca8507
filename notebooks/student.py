"""Write the notebooks without solutions and outputs, for a class: `make student`."""

import argparse
import sys
from pathlib import Path

import exercise_cells
import nbformat

from qt.files import write_atomic

HERE = Path(__file__).resolve().parent


def student_version(path: Path) -> str:
    """The notebook at `path` as a learner gets it: stubs, no solutions, nothing run yet."""
    notebook = nbformat.read(path, as_version=4)
    exercise_cells.refresh(notebook)
    exercise_cells.drop_answers(notebook)
    return nbformat.writes(notebook) + "\n"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="make student", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=HERE.parent / "student")
    parser.add_argument("--replace", action="store_true", help="also files that are there already")
    options = parser.parse_args(arguments)
    if options.folder.resolve() == HERE:
        parser.error(f"{options.folder} holds the notebooks themselves: name another folder")
    options.folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(HERE.glob("[0-9][0-9]_*.ipynb")):
        target = options.folder / path.name
        if target.exists() and not options.replace:
            print(f"kept     {target.name}: it is there already, --replace writes it anew")
        else:
            write_atomic(target, student_version(path))
            print(f"written  {target.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
