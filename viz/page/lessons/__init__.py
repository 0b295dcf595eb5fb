"""Live pages for learners: points or a name in, a page with something to drag out.

``lessons`` writes them. axes.js has frames, curves and points that are dragged,
controls.js sliders, tables and runs; then there is a script and its markup for each:

    descent      a line through points, by hand and by gradient descent
    tangent      y = x^2 and others, with their slope
    activations  functions and their derivatives, softmax
    lines        sums of lines, which stay lines until there is an activation
"""
