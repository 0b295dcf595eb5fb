"""THE TABLE: every derivative of the project, written once, and what runs it on floats.

In: nothing; the standard library alone. Out: ``TABLE``, primitives by name.

Read ``primitives`` first: a row is a name, an evaluation and partial derivatives.
Then ``primitive`` (what a row is, how it meets numbers of any kind), ``arithmetic``
and ``special`` (its evaluations on floats: nothing raises for a float's value),
``reals`` (what counts as a number).
"""
