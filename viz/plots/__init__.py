"""Plots on matplotlib axes: ``f(data, *, ax=None, **kwargs) -> Axes``.

Numbers, Values or models enter, the axes that were drawn on leave; nothing is shown,
and no global setting is changed. ``data`` checks what is drawn, ``palette`` has the
colours. ``curves`` has lines over time or over one number, ``rates`` losses by learning
rate, ``surfaces`` what lies over a plane, ``confusion`` what a classifier takes for
what, ``statistics`` activations and gradients by layer, ``weights`` those of images.

A network is read by ``wiring`` (its layers as arrays), laid out by ``places``, and
becomes what is seen in ``scene``; ``network`` draws that on axes, ``markup`` as SVG.
"""
