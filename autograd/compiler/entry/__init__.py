"""Calls from Python: short ways past all that a first call looks at.

In: a plan. Out: a callable for arguments of one outline, with a fallback.

``shortcuts`` serves float64 arrays and chooses among entries. ``native`` says where the
numbers of a plan lie, and ``entry`` makes a builtin function of that, with its
``machine_code``, after that has checked how Python's objects lie in memory.
"""
