"""The dry run: the whole walk without any effect (language reference, section 11).

Nothing is written, started or asked, and no file is read. What cannot be known is an `Unknown`
value; where a condition is unknown, both ways are walked as `conditional`. The result is a plan
that a person can review: one entry for each command, IF and CHOOSE.
"""

from tisslang.dry_run.outline import outline_of
from tisslang.dry_run.walk import DryWalk

__all__ = ["DryWalk", "outline_of"]
