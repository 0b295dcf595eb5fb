"""Models: from numbers in to numbers out, and their parameters.

A model is a ``Module``: its parameters are the leaf Values among its attributes, named
by the path that leads to them. Samples enter as lists of numbers; outputs leave as
numbers or lists, in the graph of the parameters.

Read ``module`` first (parameters by name, copies around other numbers), then
``networks`` (neuron, layer, sequence, perceptron), ``parts`` (dropout, normalisation,
embedding) and ``recurrent`` (RNN, LSTM, GRU). ``activations`` and ``initialisers``
are tables of functions that networks are made with; ``storage`` writes parameters to
files and reads them back, ``whole`` models with what they are made of. ``matrices``
computes a network on many samples at once, without a graph. ``summary`` says in a few
lines what a model is.
"""
