"""`python -m benchmarks [NAME…]`: run the rows whose names begin so, or all, and store them.

`--list` names them; `--out FILE` stores elsewhere, and leaves the README as it is. 0 done, 1 a row
failed, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from pathlib import Path
from typing import Any

for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"  # before NumPy and PyTorch read it

from benchmarks.claim import Claim, LeftOut  # noqa: E402
from benchmarks.readme import write_table  # noqa: E402
from benchmarks.results import HEADING, PACKAGES, line, machine, store, versions  # noqa: E402

RESULTS = Path(__file__).with_name("results.json")

FILES = (
    "train", "train_floor", "data_parallel", "engine_overhead", "decode", "long_context", "bpe",
    "memory", "import_qt", "scaling", "sandbox", "language", "tisslang_lsp",
)  # fmt: skip


def all_claims() -> dict[str, Claim]:
    modules = [importlib.import_module(f"benchmarks.{name}") for name in FILES]
    return {claim.name: claim for module in modules for claim in module.CLAIMS}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help='a row, or "train_small" for /1, /2'
    )
    parser.add_argument("--list", action="store_true", help="print the names of all rows")
    parser.add_argument("--out", type=Path, default=RESULTS, help="default: %(default)s")
    args = parser.parse_args(arguments)
    claims = all_claims()
    for name in args.names:
        if not any(matches(claim, name) for claim in claims):
            parser.error(f"no row is called {name!r}: --list names them")
    chosen = [n for n in claims if not args.names or any(matches(n, a) for a in args.names)]
    if args.list:
        print(*chosen, sep="\n")
        return 0
    print(machine(), ", ".join(f"{name} {number}" for name, number in versions().items()), sep="\n")
    print(HEADING, flush=True)
    left_out, failed = [], False
    for name in chosen:
        if sys.stderr.isatty():
            print(f"{name} …", end="\r", file=sys.stderr, flush=True)
        try:
            row: dict[str, Any] = claims[name].row()
        except (ModuleNotFoundError, LeftOut) as why:
            if isinstance(why, ModuleNotFoundError) and why.name not in PACKAGES:
                raise
            left_out.append(f"left out: {name}: {why}")
        except (ValueError, RuntimeError) as why:
            failed = True
            print(f"error: {name}: {why}", file=sys.stderr)
        else:
            print(line(row), flush=True)
            store(args.out, [row], list(claims))
    if args.out == RESULTS:
        write_table(RESULTS, RESULTS.parent.parent / "README.md")
    if left_out:
        print(*left_out, "`make peers` installs PyTorch, tokenizers and tiktoken.", sep="\n")
    return int(failed)


def matches(claim: str, name: str) -> bool:
    return claim == name or claim.startswith(f"{name}/")


if __name__ == "__main__":
    sys.exit(main())
