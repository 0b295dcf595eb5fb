"""Training: a model, data and settings in; a trained model and a history out.

Samples enter as lists or arrays, are checked once and cut into batches. A batch's loss
and gradient are computed in the graph, or by a program compiled from it; then the
optimiser changes the parameters, and the history records the epoch.

Read ``fit`` first (settings, the loop over epochs), then ``trainer`` (one epoch, one
step) and ``predict``. ``samples`` holds the data, ``labels`` knows the names of columns
and classes, ``mismatches`` refuses what does not go together, ``progress`` shows the
bar, ``history`` keeps the record. ``execution`` computes a batch eagerly or by a
program, and has the numbers between compiled steps; ``programs`` builds what is
compiled, and says for which models that needs no asking, and whether it is worth it.
Before a run, ``rates`` finds a learning rate by one that ``restored`` undoes, and
``statistics`` says what flows through a network, by ``watching`` a copy of it.
"""
