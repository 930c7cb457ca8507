"""The list of all codes: the linter, the page of diagnostics and the tests read it."""

from __future__ import annotations

from tisslang.rules import quality, runtime, safety, static, syntax
from tisslang.rules.rule import Rule

__all__ = ["RULES", "SEVERITIES", "Rule"]

RULES: tuple[Rule, ...] = (
    *syntax.RULES,
    *static.RULES,
    *quality.RULES,
    *safety.RULES,
    *runtime.RULES,
)
SEVERITIES = {rule.code: rule.severity for rule in RULES}
