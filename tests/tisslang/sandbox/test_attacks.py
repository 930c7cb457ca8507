"""The hostile suite itself: large enough, and each attempt able to succeed without a sandbox."""

import pytest
from attacks import all_attacks, modules
from attacks.attack import KINDS
from attacks.judge import ENOUGH, proven, require
from attacks.variant import UNCONFINED

ATTACKS = all_attacks()


def test_the_suite_is_large_and_its_names_are_unique() -> None:
    names = [str(attack) for attack in ATTACKS]
    assert len(set(names)) == len(names)
    assert len(ATTACKS) >= 120
    assert {attack.kind for attack in ATTACKS} == set(KINDS)
    for module in modules():
        assert {attack.kind for attack in module.ATTACKS} == {module.__name__.rpartition(".")[2]}


@pytest.mark.long
def test_without_a_sandbox_the_attacks_succeed() -> None:
    for variant in UNCONFINED:
        require(variant)
    failed = [str(attack) for attack in ATTACKS if not proven(attack)]
    print(f"{len(ATTACKS) - len(failed)} of {len(ATTACKS)} attacks succeed without a sandbox")
    print("these do not:", *failed, sep="\n  ")
    assert len(failed) <= (1 - ENOUGH) * len(ATTACKS)
