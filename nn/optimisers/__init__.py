"""Optimisers: gradients in, changed parameters out.

``optimiser`` is the base of all; ``methods`` step batch by batch, ``lbfgs`` over all
samples; ``named`` says what a name means. Before a step ``clipping`` limits gradients,
and a schedule of ``schedules`` sets the rate.
"""
