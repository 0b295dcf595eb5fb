"""The compiled tier: a function of scalars in, a fast function out.

    function -> trace -> bulk -> adjoint -> numpy or llvm -> entry

The folders are the stages, from the ground up; docs/architecture.md carries one
example through them. ``jit`` is the door: it finds or makes the plan (``plans``) for
the structure of a call's arguments.
"""
