"""Optimisers: gradients in, changed parameters out.

``optimiser`` is the base of all, ``methods`` are those that have a name; before a step
``clipping`` limits the gradients, and a schedule of ``schedules`` sets the rate.
"""
