"""JSON of whatever a plan can hold: Python's `json` refuses integers of more than 4,300 digits."""

import json
import os
import re
from typing import Any

from tisslang.values import MAX_BITS, text_form


def json_text(content: Any, indent: int | None = None) -> str:
    """The JSON text of `content`, whose integers may be of any size; non-ASCII is kept."""
    try:
        return json.dumps(content, ensure_ascii=False, indent=indent)
    except ValueError:
        return _with_long_integers(content, indent)


def _with_long_integers(content: Any, indent: int | None) -> str:
    """Texts that occur nowhere else stand for the long integers until all else is written."""
    mark, digits = os.urandom(16).hex(), []

    def marked(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: marked(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [marked(item) for item in value]
        if isinstance(value, int) and value.bit_length() > MAX_BITS:
            digits.append(text_form(value))
            return f"{mark}{len(digits) - 1}"
        return value

    text = json.dumps(marked(content), ensure_ascii=False, indent=indent)
    return re.sub(f'"{mark}([0-9]+)"', lambda found: digits[int(found[1])], text)
