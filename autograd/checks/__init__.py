"""Derivatives looked at: are they right, where do they break, how do they arise?

In: functions, graphs and formulas. Out: reports, errors that name a node, texts.

``gradcheck`` compares with ``differences`` (finite ones, whose own error is known),
``anomaly`` names the first NaN, ``sources`` the line that made a node, ``explain``
writes out the chain rule with its numbers, ``expression`` reads formulas given as text,
``meant`` those that are written as elsewhere.
"""
