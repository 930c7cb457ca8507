"""A graph's boxes and edges as SVG text: it reads in greyscale, on any page, and aloud."""

from __future__ import annotations

from html import escape
from itertools import pairwise

from qt.viz.graph_layout import LINE, MARGIN, Layout, Point
from qt.viz.graph_nodes import Node

INK, EDGE = "#00224e", "#6b6a66"
STYLES = {  # corner radius, fill, line
    "operation": (11, "#f7f0cf", f'stroke="{INK}"'),
    "leaf": (0, "#dde3ee", f'stroke="{INK}" stroke-width="1.6"'),
    "constant": (0, "#ffffff", f'stroke="{INK}" stroke-dasharray="4 3"'),
    "more": (11, "#ffffff", f'stroke="{EDGE}" stroke-dasharray="1 3"'),
}


def draw(nodes: list[Node], layout: Layout) -> str:
    """The picture, on a white ground of its own; no wider than the page it stands on."""
    width, height = layout.width + 4 * MARGIN, layout.height + 4 * MARGIN
    body = [_edge(points) for points in layout.edges]
    for i, node in enumerate(nodes):
        body.append(_box(node, layout.boxes[i], result=i == 0, told=_told(nodes, i)))
    told = "; ".join(_told(nodes, i) for i in range(len(nodes)))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{-2 * MARGIN:g} {-2 * MARGIN:g} '
        f'{width:.0f} {height:.0f}" width="{width:.0f}" style="max-width: 100%" role="img" '
        f'font-family="ui-monospace, Menlo, Consolas, monospace" font-size="12" fill="{INK}" '
        'text-anchor="middle">\n'
        f"<title>Autograd graph of {escape(nodes[0].name)}</title>\n<desc>{escape(told)}</desc>\n"
        f'<rect x="{-2 * MARGIN:g}" y="{-2 * MARGIN:g}" width="100%" height="100%" fill="#ffffff"/>'
        "\n" + "\n".join(body) + "\n</svg>\n"
    )


def _told(nodes: list[Node], i: int) -> str:
    """One node as a sentence would say it: its name, and what it was made from."""
    sources = ", ".join(nodes[parent].name for parent in nodes[i].parents)
    return f"{nodes[i].name} from {sources}" if sources else nodes[i].name


def _box(node: Node, box: tuple[float, float, float, float], result: bool, told: str) -> str:
    left, top, width, height = box
    radius, fill, stroke = STYLES[node.kind]
    if result:
        stroke = f'stroke="{INK}" stroke-width="2.6"'
    bold = ' font-weight="bold"' if node.kind == "operation" else ""
    texts = "".join(
        f'<text x="{left + width / 2:.1f}" y="{top + MARGIN / 2 + LINE * (k + 0.75):.1f}"'
        f"{bold if k == 0 else ''}>{escape(line)}</text>"
        for k, line in enumerate(node.lines)
    )
    return (
        f'<g class="{node.kind}"><title>{escape(told)}</title>'
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" '
        f'rx="{radius}" fill="{fill}" {stroke}/>{texts}</g>'
    )


def _edge(points: list[Point]) -> str:
    """A line, upright inside rows and curved between them, and its arrow head."""
    path = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    for (x, y), (to_x, to_y) in pairwise(points):
        middle = (y + to_y) / 2
        path += f"C{x:.1f} {middle:.1f} {to_x:.1f} {middle:.1f} {to_x:.1f} {to_y:.1f}"
    x, y = points[-1]
    return (
        f'<path class="edge" d="{path}" fill="none" stroke="{EDGE}" stroke-width="1.2"/>'
        f'<path d="M{x - 3.5:.1f} {y - 7:.1f}L{x:.1f} {y:.1f}L{x + 3.5:.1f} {y - 7:.1f}z" '
        f'fill="{EDGE}"/>'
    )
