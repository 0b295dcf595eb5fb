"""Plots on matplotlib axes: ``f(data, *, ax=None, **kwargs) -> Axes``.

Numbers or Values enter, the axes that were drawn on leave; nothing is shown, and no
global setting is changed. ``data`` checks what is drawn, ``curves`` has lines over time
or over one number, ``surfaces`` what lies over a plane.
"""
