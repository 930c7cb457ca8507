"""Make book/ablation.md and its picture from results.json: python book/ablation/page.py."""

import json
import statistics
from pathlib import Path
from typing import Any

from qt.files import write_atomic
from qt.viz.style import DARK, MIDDLE, Picture, new_figure

HERE = Path(__file__).resolve().parent
PAGE, PICTURE = HERE.parent / "ablation.md", HERE.parent / "images" / "ablation.png"
BITS = "val_bits_per_byte"
SAYS = {
    "classic": "the parts of 2017: sinusoids, LayerNorm, ReLU, biases, characters",
    "quiet waves": "sinusoids as large as the embeddings",
    "RoPE": "rotary positions instead of sinusoids",
    "RMSNorm": "instead of LayerNorm",
    "SwiGLU": "a gate in the feed-forward part",
    "no biases": "in no layer",
    "BPE": "1,024 tokens of BPE for characters: the modern model",
}


def told(values: list[float]) -> str:
    return f"{statistics.fmean(values):.3f} ± {statistics.stdev(values):.3f}"


def gain(rows: dict[str, Any], name: str) -> str:
    """Bits per byte less than the row before, with the standard error of that difference."""
    names = list(rows)
    if name == names[0]:
        return "–"
    old, new = rows[names[names.index(name) - 1]][BITS], rows[name][BITS]
    difference = statistics.fmean(old) - statistics.fmean(new)
    error = ((statistics.variance(old) + statistics.variance(new)) / len(new)) ** 0.5
    return f"{difference:+.3f} ± {error:.3f}".replace("-", "−")


def table(results: dict[str, Any]) -> str:
    bytes_, time_ = results["bytes"], results["time"]
    lines = [
        "| one more change | weights | rate | equal bytes | gain | steps in equal time "
        "| equal time | gain |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for name in bytes_:
        lines.append(
            f"| **{name}**: {SAYS[name]} | {bytes_[name]['parameters'][0]:,.0f} "
            f"| {results['rates'][name]:g} | {told(bytes_[name][BITS])} | {gain(bytes_, name)} "
            f"| {time_[name]['steps'][0]:,.0f} | {told(time_[name][BITS])} | {gain(time_, name)} |"
        )
    return "\n".join(lines)


def picture(results: dict[str, Any]) -> Picture:
    figure, ax = new_figure(7, 3.4)
    names = list(results["bytes"])
    looks = {
        "bytes": ("equal bytes", "o", DARK, "white"), "time": ("equal time", "s", "white", MIDDLE),
    }  # fmt: skip
    for shift, (column, (label, marker, colour, face)) in zip((-0.13, 0.13), looks.items()):
        for i, name in enumerate(names):
            values = results[column][name][BITS]
            ax.plot(
                values, [i + shift] * len(values), marker, markeredgecolor=colour,
                markerfacecolor=face, markersize=7, label=label if i == 0 else None,
            )  # fmt: skip
    ax.set_yticks(range(len(names)), [names[0], *(f"+ {name}" for name in names[1:])])
    ax.invert_yaxis()
    ax.grid(axis="x", linewidth=0.4)
    ax.set(
        title="From the parts of 2017 to those of today", ylabel="one more change",
        xlabel="validation loss (bits per byte); each mark is a seed",
    )  # fmt: skip
    ax.legend(frameon=False, loc="lower right")
    return figure


def alt(results: dict[str, Any]) -> str:
    """What the picture shows, in words."""
    means = "; ".join(
        f"{name} {statistics.fmean(row[BITS]):.2f} and "
        f"{statistics.fmean(results['time'][name][BITS]):.2f}"
        for name, row in results["bytes"].items()
    )
    return f"Bits per byte at equal bytes and at equal time, means of three seeds: {means}."


def page(results: dict[str, Any]) -> str:
    text = (HERE / "page.txt").read_text(encoding="utf-8")
    values = {
        "table": table(results),
        "alt": alt(results),
        "date": results["date"],
        "numpy": results["numpy"],
        "budget": f"{results['budget_seconds']:.0f}",
        "bytes": f"{results['train_bytes']:,}",
        "rates": " or ".join(f"{float(rate):g}" for rate in results["tried"]["classic"]),
        "untaken": told(results["tried"]["RMSNorm"]["0.003"]),
        "taken": told(results["tried"]["RMSNorm"]["0.001"]),
        "before": told(results["tried"]["RoPE"]["0.003"]),
    }
    for name, value in values.items():
        text = text.replace("{" + name + "}", str(value))
    return text


def main() -> None:
    """Write both."""
    results = json.loads((HERE / "results.json").read_text(encoding="utf-8"))
    figure = picture(results)
    figure.savefig(PICTURE, dpi=150, metadata={"Software": None})
    write_atomic(PAGE, page(results))


if __name__ == "__main__":
    main()
