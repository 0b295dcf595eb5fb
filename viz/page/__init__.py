"""Live pages: one HTML file each, which needs no network and no Python.

Values, models and runs enter; a page leaves. ``document`` puts a page together from
data and the scripts beside it. Pages calculate by themselves: ``operations`` gives them
the rows of the table, evaluated and differentiated in JavaScript; with ``grammar`` they
read formulas as the command line does. ``playground`` is a page to type them in,
``lessons`` has those for learners, and ``explorer`` that of a graph:

    graph.js     the nodes, both passes      fold.js, crowd.js   what becomes one box
    layout.js    where boxes stand           draw.js             the SVG
    mathml.js    formulas                    explorer.js         selection, both passes
    panel.js     derivations                 input.js, open.js   hands; Python's graph

``film`` is the page of a training run, of frames that ``record`` measures: in them
``outlooks`` are what a model says, ``verdicts`` what goes wrong. film.js plays them,
charts.js draws; ``reel`` is the same as a film in a file.
"""
