"""`make fuzz`: a fuzzer that sees which lines a text reaches, and so finds its way into them.

It takes bytes through parse, check, lint, fmt, recovery and dry run, from some hundred scripts on,
for MINUTES (10). The first text that anything but an error of ours comes of ends it, and is kept.
"""

import os
import sys
import tempfile
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parent / "support"))

with atheris.instrument_imports(include=["tisslang"]):
    pass

import fuzzing

SEEDS = 400


def main() -> None:
    """Fuzz for the time given."""
    minutes = float(os.environ.get("MINUTES") or 10)
    with tempfile.TemporaryDirectory() as directory:
        corpus, root = Path(directory, "corpus"), Path(directory, "root")
        corpus.mkdir()
        root.mkdir()
        for seed in range(SEEDS):
            data = fuzzing.seeded(seed).encode("utf-8", "surrogatepass")
            (corpus / str(seed)).write_bytes(data)
        flags = [f"-max_total_time={round(60 * minutes)}", "-max_len=4096", "-timeout=20"]
        arguments = [sys.argv[0], str(corpus), *flags, *sys.argv[1:]]
        atheris.Setup(arguments, lambda data: fuzzing.judge(data, str(root)))
        atheris.Fuzz()


if __name__ == "__main__":
    main()
