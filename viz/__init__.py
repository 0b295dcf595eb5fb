"""Pictures: the computation graph, and plots of training.

``draw_dot`` and ``render`` draw the graph below a result, with or without Graphviz's
``dot`` on the machine; ``animate`` films backpropagation through it, and ``explore`` is
a live page of it. ``network`` draws a network as circles in layers; ``watch_training``
makes a page of its training, ``training_film`` a film. The plots take and return
matplotlib axes, ``f(data, *, ax=None) -> Axes``, and neither show anything nor change
global settings.

>>> from autograd import Value
>>> from viz import draw_dot
>>> picture = draw_dot(Value(2.0, label="w") * Value(3.0, label="x"))
>>> picture.format
'svg'
"""

from scalar_autograd import require as _require

_require("autograd", "nn")

from viz.formulas.derivation import latex, mathml
from viz.graph.animate import animate
from viz.graph.render import draw_dot
from viz.page.graph.explorer import explore
from viz.page.graph.playground import playground
from viz.page.lessons.lessons import descent_page, lesson
from viz.page.training.film import watch_training
from viz.page.training.reel import training_film
from viz.pictures import render
from viz.plots.confusion import confusion_matrix, misclassified
from viz.plots.curves import activation, line_fit, loss_curve
from viz.plots.markup import network_svg
from viz.plots.network import network
from viz.plots.rates import learning_rates
from viz.plots.statistics import layer_statistics
from viz.plots.surfaces import decision_boundary, descent_path
from viz.plots.weights import input_weights

__all__ = [
    "activation",
    "animate",
    "confusion_matrix",
    "decision_boundary",
    "descent_page",
    "descent_path",
    "draw_dot",
    "explore",
    "input_weights",
    "latex",
    "layer_statistics",
    "learning_rates",
    "lesson",
    "line_fit",
    "loss_curve",
    "mathml",
    "misclassified",
    "network",
    "network_svg",
    "playground",
    "render",
    "training_film",
    "watch_training",
]
