"""The command line: a formula and its numbers in, values, gradients and pictures out.

In: the words of a command. Out: text, files and an exit status.

``arguments`` says what can be given, and reads it; ``numbers`` reads name=number, from
the line and from files; ``output`` prints and draws. ``autograd.__main__`` calls them.
"""
