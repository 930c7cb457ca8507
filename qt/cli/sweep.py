"""`qt sweep`: one notebook, many settings, and what they give, compared."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from contextlib import ExitStack, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qt.cli.arguments import UsageError, add_command, not_empty, whole
from qt.cli.progress import Bar, busy
from qt.sweep.grid import Run, make_runs
from qt.sweep.parameters import ParameterError, check
from qt.sweep.stopping import Stop

if TYPE_CHECKING:
    from qt.sweep.notebook import Experiment
    from qt.sweep.store import Folder, Record
    from qt.sweep.sweep import Plan, State
    from qt.sweep.table import Row

ABOUT = """\
Run a notebook with many settings, side by side, and compare what they give. The settings are the
names in its cell with the tag "parameters". If cells have the tag "report", a run is these cells
alone. Runs that differ in their seed alone make a row of the table: mean and standard deviation.

All settings are checked before the first run. A run that fails is kept with its error, and the
others go on. The same command again goes on where it was: what is done is not repeated, and another
grid with the same --out adds to it. Ctrl-C keeps all that is done."""

EXAMPLES = """\
examples:
  qt sweep notebooks/09_training.ipynb --grid lr=1e-3,3e-4 --grid norm=rmsnorm,layernorm \\
      --seeds 3 --out sweeps/x
      12 runs; look at sweeps/x/index.html
  qt sweep notebooks/09_training.ipynb --variant modern: --variant \\
      classic:position=sinusoidal,norm=layernorm,ffn=relu,bias=True --set steps=400 --out sweeps/y
      named rows, which may differ in several settings
  dask scheduler & dask worker tcp://HOST:8786 --nthreads 1      # on each machine
  qt sweep … --scheduler tcp://HOST:8786
      the same on a Dask cluster; its workers need quantatissu[sweep], and find the data themselves

DIR/index.html compares the runs and links their reports; table.md, table.json, plot.png and
plot.svg hold the same. runs/NAME/ holds report.ipynb, metrics.json, and error.txt if it failed."""

NEEDS = ("dask", "distributed", "matplotlib", "nbformat", "papermill")


def add_to(commands: Any) -> None:
    """Add `qt sweep`."""
    parser = add_command(
        commands, "sweep", run, "run a notebook with many settings, and compare",
        usage="qt sweep NOTEBOOK --out DIR [--grid NAME=V,V]… [--variant NAME:K=V,K=V]… [flags]",
        description=ABOUT, epilog=EXAMPLES,
    )  # fmt: skip
    parser.add_argument("notebook", type=not_empty, metavar="NOTEBOOK", help="what is run")
    parser.add_argument("--out", required=True, type=not_empty, metavar="DIR", help="its folder")
    parser.add_argument(
        "--grid", action="append", default=[], metavar="NAME=V,V",
        help="values of a setting; several grids multiply",
    )  # fmt: skip
    parser.add_argument(
        "--variant", action="append", default=[], metavar="NAME:K=V,K=V",
        help='a named row with settings of its own ("modern:" has none); times the grids',
    )  # fmt: skip
    parser.add_argument(
        "--set", action="append", default=[], metavar="K=V", help="a setting of all runs"
    )
    parser.add_argument(
        "--seeds", type=whole(1), metavar="N",
        help="each run N times, with the seeds that follow on the notebook's or on --set seed=",
    )  # fmt: skip
    parser.add_argument(
        "--whole", action="store_true", help='all cells, not only those with the tag "report"'
    )
    parser.add_argument(
        "--retry-failed", action="store_true", help="try failed runs again; else they are kept"
    )
    parser.add_argument(
        "--workers", type=whole(1), metavar="N", help="runs side by side here (default: the cores)"
    )
    parser.add_argument(
        "--scheduler", type=not_empty, metavar="ADDRESS", help="of a Dask cluster: tcp://HOST:PORT"
    )
    parser.add_argument("--quiet", action="store_true", help="no progress, only the result")
    parser.add_argument("--json", action="store_true", help="the result as one line of JSON")


def run(args: argparse.Namespace) -> int:
    """Run what is not done, and print the table."""
    if args.scheduler and args.workers:
        raise UsageError("--workers is for this machine: a cluster has the workers that it has")
    if args.scheduler and "://" not in args.scheduler:
        raise UsageError(f"--scheduler must be like tcp://HOST:8786, not {args.scheduler!r}")
    for name in NEEDS:
        if find_spec(name) is None:
            raise RuntimeError(f'qt sweep needs {name}: pip install "quantatissu[sweep]"')
    from qt.sweep import sweep
    from qt.sweep.notebook import Experiment
    from qt.sweep.store import Folder

    try:
        experiment = Experiment(args.notebook, args.whole)
        runs = make_runs(experiment.defaults, args.grid, args.variant, args.set, args.seeds)
        _check(experiment, runs, here=not args.scheduler)
    except ParameterError as error:
        raise UsageError(str(error)) from None
    folder = Folder(args.out)
    asked = {
        "notebook": experiment.name, "grid": args.grid, "variant": args.variant, "set": args.set,
        "seeds": args.seeds, "whole": args.whole,
    }  # fmt: skip
    folder.ask(asked, runs)
    plan = sweep.plan(runs, folder, experiment.fingerprint, args.retry_failed)
    tell = _Progress(args.quiet, len(plan.todo))
    tell.begin(plan, folder)
    with Stop(args.quiet) as stop:
        if plan.todo:
            _execute(args, experiment, plan.todo, folder, tell, stop)
        folder = Folder(args.out)  # another sweep may have added to it
        rows = _compare(folder) if folder.records() else []
    records = [record for one in runs if (record := folder.record(one))]
    if stop.signal is None:
        return _finish(args, folder, rows, records)
    kept = f"{len(records)} of {len(runs)} runs are kept; the same command goes on"
    if stop.signal == signal.SIGINT:
        raise KeyboardInterrupt(kept)
    print(f"stopped: {kept}", file=sys.stderr)
    return 128 + stop.signal


def _execute(
    args: argparse.Namespace, experiment: Experiment, todo: list[Run], folder: Folder,
    tell: _Progress, stop: Stop,
) -> None:  # fmt: skip
    from qt.sweep import cluster, sweep

    with ExitStack() as stack:
        with busy("starting workers", args.quiet):
            client = stack.enter_context(cluster.connect(args.scheduler, args.workers))
        with suppress(KeyboardInterrupt), tell.bar, stop.at_once():
            sweep.execute(client, experiment, todo, folder, tell)


def _check(experiment: Experiment, runs: list[Run], here: bool) -> None:
    """All settings, before the first run; a text on the disk is looked for once."""
    seen: set[Any] = set()
    for one in runs:
        if "metrics_path" in one.settings:
            raise ParameterError("metrics_path is set by the sweep: runs/NAME/metrics.json")
        settings = {**experiment.defaults, **one.settings, "metrics_path": ""}
        text = settings.get("dataset")
        check(settings, one.settings, look_for_data=here and text not in seen)
        seen.add(text)


class _Progress:
    """A line for each run that ends, and the bar below."""

    def __init__(self, quiet: bool, total: int):
        self.quiet, self.bar = quiet, Bar("sweep", max(total, 1), quiet)
        self.best: tuple[float, str] | None = None
        self.waits = False

    def begin(self, plan: Plan, folder: Folder) -> None:
        """Say what is left to do, and what is not."""
        for name in folder.damaged:
            self.say(f"the files in {folder.run(name)} are damaged: the run counts as not done")
        if kept := len(plan.done):
            self.say(f"{kept} runs are done already and are kept")
        if plan.changed:
            self.say(
                f"{len(plan.changed)} of them were made before the notebook or qt was changed: "
                "with another --out they are made anew"
            )
        if plan.failed:
            self.say(f"{len(plan.failed)} have failed before: --retry-failed tries them again")
        self.say(f"{len(plan.todo)} runs to do")

    def say(self, line: str) -> None:
        """A line on standard error."""
        if not self.quiet:
            self.bar.clear()
            print(line, file=sys.stderr, flush=True)

    def __call__(self, state: State) -> None:
        if state.last:
            number = f"{state.done + state.failed} of {state.total}"
            self.say(f"{number}  {state.last['words']}  {_outcome(state.last)}")
            self._remember(state.last)
        note = f"{state.running} running"
        note += f" · {state.failed} failed" if state.failed else ""
        note += f" · best {self.best[0]:.3f} {self.best[1]}" if self.best else ""
        if not state.workers:
            note = "waiting for workers"
            if not self.waits:
                self.say("there is no worker: the runs wait until one comes")
        self.waits = not state.workers
        self.bar.update(state.done + state.failed, note)

    def _remember(self, record: Record) -> None:
        value = record["number"]
        if value is not None and (self.best is None or value < self.best[0]):
            self.best = (value, record["words"])


def _outcome(record: Record) -> str:
    if record["error"]:
        return f"failed: {record['error']}"
    value = record["number"]
    return (f"{record['measure']} {value:.4g}, " if value is not None else "") + (
        f"{record['seconds']:.0f} s"
    )


def _compare(folder: Folder) -> list[Row]:
    """Write table, picture and page of all that the folder holds."""
    from qt.files import write_atomic
    from qt.sweep import page, plot, table

    rows = table.make_rows(folder)
    figure = plot.draw(rows)
    values = json.dumps(table.as_json(rows), indent=1, ensure_ascii=False)
    write_atomic(folder.path / "table.md", table.as_markdown(rows))
    write_atomic(folder.path / "table.json", values + "\n")
    picture = None
    if figure is not None:
        picture = plot.as_bytes(figure, "png")
        write_atomic(folder.path / "plot.png", picture)
        write_atomic(folder.path / "plot.svg", plot.as_bytes(figure, "svg"))
    alt = getattr(figure, "alt", "")
    write_atomic(folder.path / "index.html", page.make_page(folder, rows, picture, alt))
    return rows


def _finish(
    args: argparse.Namespace, folder: Folder, rows: list[Row], records: list[Record]
) -> int:
    """Print the table, and what failed of the runs that were asked for."""
    from qt.sweep import table

    failed = [record for record in records if record["error"]]
    if args.json:
        result = {
            "out": str(folder.path), "done": len(records) - len(failed),
            "rows": table.as_json(rows), "failed": [record["name"] for record in failed],
        }  # fmt: skip
        print(json.dumps(result))
    else:
        print(table.as_markdown(rows))
        print(f"compared in {Path(folder.path) / 'index.html'}")
    for record in failed:
        where = folder.run(record["name"]) / "error.txt"
        print(f"failed: {record['words']}: {record['error']} ({where})", file=sys.stderr)
    return 1 if failed else 0
