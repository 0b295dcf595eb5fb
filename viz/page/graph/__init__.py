"""The live page of a graph: Values or a formula in, a page with leaves to drag out.

``explorer`` hands a graph over; ``playground`` is the page into which formulas are
typed. All else is JavaScript, to be read in this order:

    graph.js     nodes, both passes, finite differences, where a NaN arose
    fold.js      what becomes one box; crowd.js: for graphs of many nodes
    layout.js    where boxes stand
    draw.js      the SVG: boxes, arrows, pan, zoom, gliding
    mathml.js    formulas
    explorer.js  the page: selection, numbers that move, passes step by step, search
    input.js     buttons, pointer, keys
    panel.js     what is said about a node: derivatives, chain rule, line of Python
    open.js      begins with the graph that Python handed over; playground.js: typed
"""
