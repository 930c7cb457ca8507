"""No attempt of the hostile suite succeeds under the backend namespaces.

The long tests start tiss anew for each attempt; the others do where it could make a difference.
"""

import pytest
from attacks import all_attacks
from attacks.attack import Attack
from attacks.judge import holds
from attacks.variant import Variant

ATTACKS = pytest.mark.parametrize("attack", all_attacks(), ids=str)


@ATTACKS
def test_as_root(attack: Attack) -> None:
    holds(attack, Variant("namespaces", "root", warm=True))


@pytest.mark.long
@ATTACKS
def test_as_an_ordinary_user(attack: Attack) -> None:
    holds(attack, Variant("namespaces", "user"))
