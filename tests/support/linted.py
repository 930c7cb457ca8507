"""What the tests of the linter's rules share."""

from tisslang.linting import lint


def found(text: str, *codes: str, assigned: tuple[str, ...] = ()) -> list[str]:
    """The findings of some rules in a script, each as `T203 1:5`."""
    return [
        f"{each.code} {each.line}:{each.column}"
        for each in lint(text, assigned=assigned)
        if each.code.startswith(codes)
    ]
