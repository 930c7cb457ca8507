"""Where the boxes of a graph stand: levels from top to bottom, few crossings, short edges.

Source: Sugiyama, Tagawa and Toda, "Methods for Visual Understanding of Hierarchical System
Structures" (1981). An edge that passes a level gets a place there too, so it runs around the boxes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from qt.viz.graph_nodes import Node

CHARACTER, LINE, MARGIN = 7.3, 15.0, 8.0  # pixels: monospaced text of 12, and the space around it
GAP_ACROSS, GAP_DOWN = 14.0, 30.0
SWEEPS = 10  # in which places move towards the middle of their neighbours

Point = tuple[float, float]
Neighbours = Sequence[Sequence[int]]


@dataclass
class Layout:
    """Pixels. A box is (left, top, width, height), an edge the points from a parent's box down."""

    width: float
    height: float
    boxes: list[tuple[float, float, float, float]]
    edges: list[list[Point]]  # straight from the first to the second, a curve to the third, …


def lay_out(nodes: list[Node]) -> Layout:
    """Place the nodes that `collect` gave."""
    level = [node.level for node in nodes]
    widths = [max(map(len, node.lines)) * CHARACTER + 2 * MARGIN for node in nodes]
    heights = [len(node.lines) * LINE + MARGIN for node in nodes]
    chains: list[list[int]] = []  # for each edge the places that it goes through, downwards
    for i, node in enumerate(nodes):
        for parent in node.parents:
            passed = range(nodes[parent].level - 1, node.level, -1)
            chains.append([parent, *range(len(level), len(level) + len(passed)), i])
            level += passed
    widths += [0.0] * (len(level) - len(nodes))
    rows: list[list[int]] = [[] for _ in range(max(level) + 1)]  # from the result upwards
    above: list[list[int]] = [[] for _ in level]
    below: list[list[int]] = [[] for _ in level]
    for place, row in enumerate(level):
        rows[row].append(place)
    for upper, lower in (link for chain in chains for link in pairwise(chain)):
        above[lower].append(upper)
        below[upper].append(lower)
    _uncross(rows, above, below)
    for chain in chains:  # the places of one edge want to stand in one line
        for place in chain[1:-1]:
            above[place] = below[place] = chain[1:-1]
    x = _across(rows, widths, above, below)
    row_heights = [max((heights[i] for i in row if i < len(nodes)), default=0.0) for row in rows]
    tops = [sum(row_heights[k + 1 :]) + (len(rows) - 1 - k) * GAP_DOWN for k in range(len(rows))]
    bottoms = [top + height for top, height in zip(tops, row_heights)]
    boxes = []
    for i in range(len(nodes)):
        top = tops[level[i]] + (row_heights[level[i]] - heights[i]) / 2
        boxes.append((x[i] - widths[i] / 2, top, widths[i], heights[i]))
    edges = []
    for chain, port in zip(chains, _ports(chains, boxes, x)):
        places = [x[place] for place in chain[:-1]] + [port]
        points = [(places[0], boxes[chain[0]][1] + boxes[chain[0]][3])]
        for (from_x, to_x), (upper, lower) in zip(pairwise(places), pairwise(chain)):
            points += [(from_x, bottoms[level[upper]]), (to_x, tops[level[lower]])]
        edges.append([*points, (port, boxes[chain[-1]][1])])
    width = max(box[0] + box[2] for box in boxes)
    return Layout(max(width, *x), bottoms[0], boxes, edges)


def _uncross(rows: list[list[int]], above: Neighbours, below: Neighbours) -> None:
    """Order every row by the mean place of its neighbours in the row before: up, down, up again."""
    place = {i: float(k) for row in rows for k, i in enumerate(row)}
    for order, near in ((rows, below), (rows[::-1], above), (rows, below)):
        for row in order:
            means = {i: _mean([place[j] for j in near[i]], place[i]) for i in row}
            row.sort(key=lambda i: means[i])
            place.update((i, float(k)) for k, i in enumerate(row))


def _across(
    rows: list[list[int]], widths: list[float], above: Neighbours, below: Neighbours
) -> list[float]:
    """The x of every place's middle: near its neighbours, and apart from those in its row."""
    x = [0.0] * len(widths)
    for sweep in range(SWEEPS):
        for row in rows if sweep % 2 == 0 else rows[::-1]:
            wish = [_mean([x[j] for j in (*above[i], *below[i])], x[i]) for i in row]
            apart = [(widths[a] + widths[b]) / 2 + GAP_ACROSS for a, b in pairwise(row)]
            # As far left and as far right as the wishes allow; the middle keeps every distance.
            left, right = wish[:1], wish[-1:]
            for k in range(1, len(row)):
                left.append(max(wish[k], left[-1] + apart[k - 1]))
                right.insert(0, min(wish[-1 - k], right[0] - apart[-k]))
            for i, a, b in zip(row, left, right):
                x[i] = (a + b) / 2
    leftmost = min(centre - width / 2 for centre, width in zip(x, widths))
    return [centre - leftmost for centre in x]


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _ports(
    chains: list[list[int]], boxes: list[tuple[float, float, float, float]], x: list[float]
) -> list[float]:
    """The x at which each edge enters its box: side by side, in the order that they come from."""
    ports = [0.0] * len(chains)
    for i, (left, _, width, _) in enumerate(boxes):
        entering = sorted((x[chain[-2]], k) for k, chain in enumerate(chains) if chain[-1] == i)
        for nth, (_, k) in enumerate(entering, 1):
            ports[k] = left + width * nth / (len(entering) + 1)
    return ports
