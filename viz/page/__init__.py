"""Live pages: one HTML file each, which needs no network and no Python.

Values, models and runs enter; a page leaves. Here is what all pages share: ``document``
puts a page together from data, scripts and styles, which are files beside the Python
that uses them. Pages calculate by themselves: ``operations`` gives them the rows of the
table, evaluated and differentiated in JavaScript (operations.js), and with ``grammar``
they read formulas as the command line does (formula.js). numbers.js reads and writes
numbers, elements.js makes what stands in a page.

The pages: ``graph`` (of one's own graph, and the playground), ``training`` (of a run),
``lessons`` (for learners).
"""
