"""Pictures of what happens inside, drawn from real arrays.

`graph` returns an SVG picture, every other function a `matplotlib.figure.Figure`; a notebook shows
both by themselves. Colours come from cividis, which survives greyscale and colour blindness.
"""

from qt.viz.attention_map import attention_map
from qt.viz.graph import Graph, graph
from qt.viz.init_scale import init_scale
from qt.viz.live_loss import LiveLoss
from qt.viz.loss_curve import loss_curve
from qt.viz.mask_diagram import mask_diagram
from qt.viz.schedule_curves import schedule_curves

__all__ = [
    "Graph",
    "LiveLoss",
    "attention_map",
    "graph",
    "init_scale",
    "loss_curve",
    "mask_diagram",
    "schedule_curves",
]
