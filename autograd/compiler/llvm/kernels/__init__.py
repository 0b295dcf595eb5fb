"""Contractions that all compiled programs call: products, sums, folds.

In: pointers, steps and counts. Out: functions of IR, written once for each width.

Read ``code`` (a builder of functions: addresses, loops, loads), ``dense`` (matrix
products in register tiles), ``ragged`` (rows of irregular length, by index tables);
``library`` lists them with their signatures.
"""
