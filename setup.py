"""The accelerator, which is optional: where it cannot be built, Python serves.

All else stands in pyproject.toml. AUTOGRAD_CFLAGS adds options for the compiler.
"""

import os
import platform
import sys
import sysconfig

from setuptools import Extension, setup

MSVC = sys.platform == "win32" and "gcc" not in platform.python_compiler().lower()
OPTIONS = ["/fp:precise"] if MSVC else ["-O2", "-g0", "-ffp-contract=off"]
STABLE = not sysconfig.get_config_var("Py_GIL_DISABLED")

setup(
    ext_modules=[
        Extension(
            f"autograd.native._{name}",
            [f"autograd/native/{name}.c"],
            depends=[
                "autograd/native/evaluate.h",
                "autograd/native/rows.h",
                "autograd/native/models.h",
            ],
            extra_compile_args=OPTIONS + os.environ.get("AUTOGRAD_CFLAGS", "").split(),
            libraries=[] if sys.platform == "win32" else ["m"],
            py_limited_api=True,
            optional=True,
        )
        for name in ("engine", "tracer")
    ]
    if STABLE and sys.implementation.name == "cpython"
    else [],
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if STABLE else {},
)
