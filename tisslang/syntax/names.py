"""Sets of names as the bits of an integer.

A branch then begins with a copy of two numbers, and branches are joined by `|` and `&`: cheap even
where ten thousand names meet ten thousand branches.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    Packed = tuple[int, int]  # how many of the lowest bits are 0, and the others


class Names:
    """A number for every name, in the order in which they are met."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.names: list[str] = []

    def bit(self, name: str) -> int:
        """The set of this one name."""
        number = self.numbers.get(name)
        if number is None:
            number = self.numbers[name] = len(self.names)
            self.names.append(name)
        return 1 << number

    def bits(self, names: Iterable[str]) -> int:
        """The set of these names."""
        found = 0
        for name in names:
            found |= self.bit(name)
        return found

    def has(self, found: int, name: str) -> bool:
        """Whether a name is in a set."""
        number = self.numbers.get(name)
        return number is not None and bool(found >> number & 1)

    def listed(self, found: int) -> list[str]:
        """The names in a set, in the order in which they were met."""
        digits = bin(found)[:1:-1]  # the lowest bit comes first
        return [name for name, digit in zip(self.names, digits) if digit == "1"]

    @staticmethod
    def pack(found: int) -> Packed:
        """A set to be kept: short where its names were met one after the other."""
        lowest = max((found & -found).bit_length() - 1, 0)
        return lowest, found >> lowest

    @staticmethod
    def unpack(packed: Packed) -> int:
        """The set that was packed."""
        return packed[1] << packed[0]

    def first(self, found: int) -> str:
        """The name in a set, not empty, that was met first."""
        return self.names[(found & -found).bit_length() - 1]
