"""Experiments: one notebook run with many settings, side by side, and compared.

In the notebook itself, `parameters` reads and checks the settings, and `report` shows what a run
found. The others belong to `qt sweep`: `grid` says which runs there are, `notebook` which cells
they run, `job` runs one on a worker, `cluster` brings the workers, `sweep` hands the jobs out,
`store` keeps what they give, `table`, `plot` and `page` compare it, `stopping` ends it whole.
They need `pip install "quantatissu[sweep]"`.
"""

from qt.sweep.parameters import Settings, read_parameters
from qt.sweep.report import publish

__all__ = ["Settings", "publish", "read_parameters"]
