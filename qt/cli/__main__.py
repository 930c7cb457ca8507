"""`python -m qt.cli` is `qt`."""

import sys

from qt.cli import main

sys.exit(main())
