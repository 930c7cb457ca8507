"""The verdict on an attack, for the tests and the table."""

from missing import missing

from attacks.attack import METADATA, Attack
from attacks.unguarded import CARELESS
from attacks.variant import UNCONFINED, Variant
from attacks.world import Outcome, attempt

ENOUGH = 0.9  # of all attacks must succeed without a sandbox, or the suite proves nothing


def require(variant: Variant) -> None:
    """Skip the test where this backend or user cannot be had; on CI that is a failure."""
    if why := variant.missing():
        missing(f"{variant}: {why}")


def escapes(attack: Attack, outcome: Outcome) -> list[str]:
    """The evidence against the sandbox: none, where the attack uses a gap that is told of."""
    sandbox = (outcome.report.data or {}).get("sandbox") or {}
    gaps = [*sandbox.get("gaps", []), *([METADATA] if sandbox.get("backend") == "landlock" else [])]
    accepted = attack.gap and attack.gap in gaps
    return [] if accepted else outcome.evidence


def holds(attack: Attack, variant: Variant) -> None:
    """Fail when the attack succeeds under this variant, or was not carried out at all."""
    require(variant)
    outcome = attempt(attack, variant)
    assert outcome.begun, f"the attack was not carried out: {outcome.report}"
    found = escapes(attack, outcome)
    assert not found, f"{attack} under {variant}: {'; '.join(found)}\n{outcome.report}"


def proven(attack: Attack) -> bool:
    """Whether the attack can succeed: without a sandbox, as root or as an ordinary user.

    Where the profile `none` has a rule of its own, it has to succeed against careless.py.
    """
    variants = [CARELESS] if attack.guarded_by_none else UNCONFINED
    return any(attempt(attack, variant).evidence for variant in variants if not variant.missing())
