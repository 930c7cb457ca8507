"""The loss curve while it grows, with a progress bar, in a notebook."""

from __future__ import annotations

import time
from typing import Any

from qt.viz.loss_curve import loss_curve


class LiveLoss:
    """Pass it to a `Trainer` as `on_log`: it redraws the curve every `seconds`, and at the end."""

    def __init__(self, steps: int, floor: float | None = None, seconds: float = 2.0) -> None:
        self.steps = steps
        self.floor = floor
        self.seconds = seconds
        self.metrics: list[dict[str, Any]] = []
        self._drawn = -float("inf")

    def __call__(self, line: dict[str, Any]) -> None:
        self.metrics.append(line)
        done = line["step"] >= self.steps
        if done or time.monotonic() - self._drawn >= self.seconds:
            self._draw(line, done)
            self._drawn = time.monotonic()

    def _draw(self, line: dict[str, Any], done: bool) -> None:
        from IPython.display import clear_output, display

        title = "Training"
        if not done:
            filled = 30 * line["step"] // self.steps
            bar = "█" * filled + "░" * (30 - filled)
            speed = line.get("tokens_per_second")
            title = f"step {line['step']} of {self.steps}  {bar}"
            title += f"  {speed:,.0f} tokens/s" if speed else ""
        clear_output(wait=True)
        display(loss_curve(self.metrics, self.floor, title))
