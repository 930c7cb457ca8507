"""Prints how many attempts were stopped, by backend and user, and how many succeed without.

    cd tests/support && python -m attacks.table [KIND…]

Below the table stands what was not stopped.
"""

import sys
from collections import Counter

from attacks import all_attacks
from attacks.attack import KINDS, Attack
from attacks.judge import escapes, proven
from attacks.variant import CONFINED
from attacks.world import attempt


def main(kinds: list[str]) -> None:
    """Run the whole suite, or some kinds of it, under everything that can be had here."""
    attacks = [attack for attack in all_attacks() if not kinds or attack.kind in kinds]
    totals = Counter(attack.kind for attack in attacks)
    columns: dict[str, dict[str, str]] = {}
    told: list[str] = []
    for variant in CONFINED:
        if why := variant.missing():
            told.append(f"{variant} is missing: {why}")
            continue
        stopped: Counter[str] = Counter()
        for attack in attacks:
            outcome = attempt(attack, variant)
            found = escapes(attack, outcome) if outcome.begun else ["was not carried out"]
            if found:
                told.append(f"{variant}: {attack}: {'; '.join(found)[:300]}")
            else:
                stopped[attack.kind] += 1
        columns[f"{variant} stopped"] = _column(stopped, totals)
    free = Counter(attack.kind for attack in attacks if _proven(attack, told))
    columns["proven without"] = _column(free, totals)
    rows = [*(kind for kind in KINDS if totals[kind]), "all"]
    print("| attempts |", " | ".join(columns), "|")
    print("|---|" + "---|" * len(columns))
    for row in rows:
        print(f"| {row} |", " | ".join(column[row] for column in columns.values()), "|")
    print(*told, sep="\n")


def _proven(attack: Attack, told: list[str]) -> bool:
    found = proven(attack)
    if not found:
        told.append(f"none: {attack}: did not succeed")
    return found


def _column(counts: "Counter[str]", totals: "Counter[str]") -> dict[str, str]:
    column = {kind: f"{counts[kind]} of {totals[kind]}" for kind in KINDS}
    return {**column, "all": f"{counts.total()} of {totals.total()}"}


if __name__ == "__main__":
    main(sys.argv[1:])
