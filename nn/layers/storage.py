"""Parameters in files: JSON to read with the eyes, npz for many.

A file holds a format name, a version, and numbers by name. Reading never executes
anything, and needs no more memory than a small multiple of the file: JSON is strict
(RFC 8259; every key once, every number a float), and npz holds plain arrays as they
are, not compressed, so that nothing can unfold.
"""

from __future__ import annotations

import io
import json
import math
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from autograd import FileFormatError
from autograd.table.reals import short
from nn.files import replace

FORMAT = "scalar-autograd parameters"
VERSION = 2  # 1 had other names of parameters
State = Mapping[str, float]
_MEMBERS = ["architecture", "format", "names", "numbers", "version"]


def write(path: str | Path, state: State, architecture: str = "") -> None:
    """Write {name: number} to a ``.json`` or ``.npz`` file; see ``Module.save``."""
    path = Path(path)
    encode = _CODECS[_suffix(path)][0]
    for name in state:
        if name.endswith("\0"):
            raise ValueError(
                f"the parameter name {name!r} ends in a NUL character, which is lost "
                f"in .npz files: rename it"
            )
    try:
        replace(path, encode(state, architecture))
    except OSError as cause:
        reason = cause.strerror or str(cause)
        raise OSError(
            cause.errno,
            f"cannot save: {reason}; choose a path in a folder that exists and can be "
            f"written to",
            str(path),
        ) from cause


def read(path: str | Path) -> dict[str, float]:
    """The {name: number} of a file that ``write`` made; see ``Module.load``."""
    return read_whole(path)[0]


def read_whole(path: str | Path) -> tuple[dict[str, float], str]:
    """The numbers, and the architecture as JSON ("" without); see ``whole``."""
    path = Path(path)
    decode = _CODECS[_suffix(path)][1]
    content = path.read_bytes()
    try:
        document = decode(content)
        kind, version = document["format"], document["version"]
        if kind != FORMAT or type(version) is not int or version != VERSION:
            raise ValueError(f"it has format {short(kind)} version {short(version)}")
        names, numbers = document["names"], document["numbers"]
        if not (isinstance(names, list) and isinstance(numbers, list)):
            raise TypeError("names and numbers are lists")
        architecture = document.get("architecture", "")
        if not isinstance(architecture, str):
            raise TypeError("an architecture is text")
        if not all(isinstance(name, str) for name in names):
            raise TypeError("a name must be text")
        state = {n: _number(x) for n, x in zip(names, numbers, strict=True)}
        if len(state) != len(names):
            raise ValueError("a name occurs twice")
    except Exception as cause:  # a decoder of foreign bytes may raise anything
        raise FileFormatError(
            f"{path} cannot be read ({cause}): expected {FORMAT!r}, version {VERSION}; "
            f"save the model again with model.save({path.name!r}), or restore the file "
            f"from a copy"
        ) from cause
    return state, architecture


def _suffix(path: Path) -> str:
    if "\0" in str(path):
        raise ValueError(
            f"{str(path)!r} has a NUL character, which no path may have: leave it out"
        )
    suffix = path.suffix.lower()
    if suffix not in _CODECS:
        raise ValueError(f"{path} must end in {' or '.join(_CODECS)}, got {suffix!r}")
    return suffix


def _number(x: Any) -> float:
    if isinstance(x, str) and x not in ("nan", "inf", "-inf"):
        raise ValueError(f"not a number: {short(x)}")
    if not isinstance(x, int | float | str) or isinstance(x, bool):
        raise TypeError(f"not a number: {short(x)}")
    return float(x)


def _to_json(state: State, architecture: str) -> bytes:
    """Strict JSON: floats by their shortest exact text, nan and infinities as text."""
    numbers = [x if math.isfinite(x) else str(x) for x in state.values()]
    document = {"format": FORMAT, "version": VERSION, "names": [*state]}
    document["numbers"] = numbers
    document["architecture"] = architecture
    return (json.dumps(document, allow_nan=False, indent=1) + "\n").encode()


def _from_json(content: bytes) -> Any:
    return json.loads(
        content.decode(),
        parse_constant=_finite,
        parse_float=_finite,
        object_pairs_hook=_once,
    )


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:40]} is no JSON, or beyond the floats, 1.8e308")
    return number


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key occurs twice")
    return found


def _to_npz(state: State, architecture: str) -> bytes:
    file = io.BytesIO()
    np.savez(
        file,
        format=np.array(FORMAT),
        version=np.array(VERSION),
        names=np.array(list(state), dtype=np.str_),
        numbers=np.array(list(state.values()), dtype=np.float64),
        architecture=np.array(architecture, dtype=np.str_),
    )
    return file.getvalue()


def _from_npz(content: bytes) -> Any:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = archive.infolist()
        names = [member.filename.removesuffix(".npy") for member in members]
        if sorted({*names, "architecture"}) != _MEMBERS or len(names) > len(_MEMBERS):
            raise ValueError(f"it holds {short(names)}")
        for member in members:
            if member.compress_type != zipfile.ZIP_STORED:
                raise ValueError(
                    f"{member.filename} is compressed: {member.file_size} bytes, so it "
                    f"says, in {member.compress_size}"
                )
        return {
            name: _from_npy(archive.read(member))
            for name, member in zip(names, members, strict=True)
        }


def _from_npy(content: bytes) -> Any:
    """An array as lists; its size is compared before there is an array."""
    file = io.BytesIO(content)
    reader = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    shape, _, kind = reader[npy.read_magic(file)](file)
    data = content[file.tell() :]
    if kind.kind not in "Ufiu" or math.prod(shape) * kind.itemsize != len(data):
        raise ValueError(f"an array of shape {shape} and {kind} in {len(data)} bytes")
    if len(shape) > 1:
        raise ValueError(f"an array of shape {shape}")
    return np.frombuffer(data, kind).reshape(shape).tolist() if data else []


_CODECS = {".json": (_to_json, _from_json), ".npz": (_to_npz, _from_npz)}
