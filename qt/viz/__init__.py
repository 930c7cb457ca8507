"""Pictures of what happens inside, drawn from real arrays.

`graph` returns an SVG picture, every other function a `matplotlib.figure.Figure`; a notebook shows
both by themselves. Colours come from cividis, which survives greyscale and colour blindness, and
each picture has a text, `alt`, for those who cannot see it.
"""

from qt.viz.attention_map import attention_map
from qt.viz.attention_view import attention_view
from qt.viz.bars import bars
from qt.viz.boxes import boxes
from qt.viz.cache_fill import cache_fill
from qt.viz.clocks import clocks
from qt.viz.curves import curves
from qt.viz.graph import Graph, graph
from qt.viz.head_groups import head_groups
from qt.viz.init_scale import init_scale
from qt.viz.landscape import landscape
from qt.viz.live_loss import LiveLoss
from qt.viz.loss_curve import loss_curve
from qt.viz.loss_curves import loss_curves
from qt.viz.mask_diagram import mask_diagram
from qt.viz.matrices import matrices
from qt.viz.merge_tree import merge_tree
from qt.viz.ring import ring
from qt.viz.roofline import roofline
from qt.viz.rotations import rotations
from qt.viz.schedule_curves import schedule_curves

__all__ = [
    "Graph",
    "LiveLoss",
    "attention_map",
    "attention_view",
    "bars",
    "boxes",
    "cache_fill",
    "clocks",
    "curves",
    "graph",
    "head_groups",
    "init_scale",
    "landscape",
    "loss_curve",
    "loss_curves",
    "mask_diagram",
    "matrices",
    "merge_tree",
    "ring",
    "roofline",
    "rotations",
    "schedule_curves",
]
