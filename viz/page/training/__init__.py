"""A training run as a page or a film: a model and its data in, a run that plays out.

``film`` is the page, of frames that ``record`` measures: in them ``outlooks`` are what
a model says about its data, ``verdicts`` what goes wrong and what helps. film.js plays
them, charts.js draws. ``reel`` is the same as GIF or MP4.
"""
