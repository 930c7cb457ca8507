"""Who has how much of a whole: parameters, FLOPs or bytes by part."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.figure import Figure

from qt.viz.style import DARK, LIGHT, new_figure, number


def shares(parts: Mapping[str, float], title: str, unit: str = "parameters") -> Figure:
    """A name -> how many parameters (or what `unit` says) it has: a bar for its share of all.

    The number and its percentage stand beside each bar. `ValueError` for a negative number, or when
    there is nothing to share.
    """
    if bad := [name for name, value in parts.items() if not value >= 0]:
        raise ValueError(f"part {bad[0]!r} is {parts[bad[0]]}: a share cannot be negative")
    whole = sum(parts.values())
    if not whole:
        raise ValueError(f"there are no {unit} to share: the parts {list(parts)} add up to 0")
    percents = [100 * value / whole for value in parts.values()]
    figure, ax = new_figure(7, 0.36 * len(parts) + 1.1)
    drawn = ax.barh(range(len(parts)), percents, 0.7, color=LIGHT, edgecolor=DARK, linewidth=0.8)
    texts = [f"{v:,.0f}  ({number(p, 1)} %)" for v, p in zip(parts.values(), percents)]
    ax.bar_label(drawn, texts, padding=4, fontsize=8)
    ax.set_yticks(range(len(parts)), list(parts))
    ax.invert_yaxis()
    ax.set(title=title, xlabel=f"percent of {whole:,.0f} {unit}", ylabel="part")
    ax.set_xlim(0, max(percents))
    told = "; ".join(f"{name} {text}" for name, text in zip(parts, texts))
    figure.alt = f"{title}. Shares of {whole:,.0f} {unit}: {told}."
    return figure
