"""`python -m tisslang` is `tiss`."""

import sys

from tisslang.cli import main

if __name__ == "__main__":
    sys.exit(main())
