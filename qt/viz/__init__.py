"""Pictures of what happens inside, drawn by Matplotlib from real arrays.

Every function returns a `matplotlib.figure.Figure`, which a notebook shows by itself. Colours come
from cividis, which survives greyscale and colour blindness.
"""

from qt.viz.attention_map import attention_map
from qt.viz.live_loss import LiveLoss
from qt.viz.loss_curve import loss_curve
from qt.viz.mask_diagram import mask_diagram

__all__ = ["LiveLoss", "attention_map", "loss_curve", "mask_diagram"]
