"""Parameters in files: exact, whole, and never executed."""

import contextlib
import io
import json
import math
import os
import pickle
import stat
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

from autograd import FileFormatError, ShapeError, Value
from nn import MLP, Module
from nn.layers import storage

SUFFIXES = [".json", ".npz"]
SPECIAL = [0.1, -0.0, 5e-324, 1.7976931348623157e308, math.inf, -math.inf, math.nan]


@pytest.fixture(params=SUFFIXES)
def path(request, tmp_path):
    return tmp_path / f"model{request.param}"


def bits(x):
    return struct.pack("<d", x)


def test_a_model_goes_round(path):
    model, other = MLP(2, [3, 1], seed=0), MLP(2, [3, 1], seed=1)
    model.save(path)
    other.load(str(path))
    assert other.state_dict() == model.state_dict()
    assert os.listdir(path.parent) == [path.name]


def test_every_float_goes_round(path):
    state = {f"p{i}": x for i, x in enumerate(SPECIAL)}
    storage.write(path, state)
    found = storage.read(path)
    assert list(found) == list(state)
    assert list(map(bits, found.values())) == list(map(bits, state.values()))


def test_json_is_strict_and_readable(tmp_path):
    storage.write(tmp_path / "a.json", {"x": math.nan})

    def refuse(name):
        raise AssertionError(f"{name} is not JSON")

    document = json.loads((tmp_path / "a.json").read_text(), parse_constant=refuse)
    assert document["version"] == 2
    assert document["numbers"] == ["nan"]


@pytest.mark.parametrize("name", ["model.txt", "model", "model.pkl"])
def test_other_suffixes(tmp_path, name):
    model = MLP(1, [1])
    for action in (model.save, model.load):
        with pytest.raises(ValueError, match=r"must end in \.json or \.npz"):
            action(tmp_path / name)


def valid(path):
    MLP(2, [3, 1], seed=1).save(path)
    return path.read_bytes()


def changed_json(**changes):
    def change(path):
        document = {
            "format": storage.FORMAT,
            "version": 2,
            "names": ["a", "b"],
            "numbers": [1.0, 2.0],
            **changes,
        }
        return json.dumps(document).encode()

    return change


DAMAGES = {
    "empty": lambda path: b"",
    "half": lambda path: valid(path)[: len(valid(path)) // 2],
    "noise": lambda path: bytes(range(256)) * 4,
    "text": lambda path: b"hello",
    "a pickle": lambda path: pickle.dumps({"names": [1]}),
}
JSON_DAMAGES = {
    "a list": lambda path: b"[1, 2]",
    "null": lambda path: b"null",
    "deep": lambda path: b"[" * 100_000,
    "no names": lambda path: b'{"format": "scalar-autograd parameters", "version": 2}',
    "another format": changed_json(format="weights"),
    "another version": changed_json(version=1),
    "text as a number": changed_json(numbers=[1.0, "2.0"]),
    "null as a number": changed_json(numbers=[1.0, None]),
    "a bool as a number": changed_json(numbers=[1.0, True]),
    "a huge integer": changed_json(numbers=[1.0, 10**400]),
    "too few numbers": changed_json(numbers=[1.0]),
    "a name twice": changed_json(names=["a", "a"]),
    "numbers as names": changed_json(names=[1, 2]),
    "text for a list of names": changed_json(names="ab"),
    "an object for a list of numbers": changed_json(numbers={"nan": 1, "inf": 2}),
    "a token NaN": changed_json(numbers=[1.0, math.nan]),
    "a token Infinity": changed_json(numbers=[1.0, math.inf]),
    "a token -Infinity": changed_json(numbers=[1.0, -math.inf]),
    "beyond the floats": lambda path: changed_json()(path).replace(b"2.0", b"1e999"),
    "far below": lambda path: changed_json()(path).replace(b"2.0", b"-1e999"),
    "a long integer": lambda path: changed_json()(path).replace(b"2.0", b"7" * 5000),
    "a key twice": lambda path: changed_json()(path)[:-1] + b', "numbers": [3.0, 4.0]}',
    "the same key twice": lambda path: changed_json()(path)[:-1] + b', "version": 2}',
    "true as a version": changed_json(version=True),
    "a float as a version": changed_json(version=2.0),
    "text as a version": changed_json(version="2"),
    "no version": changed_json(version=None),
    "a list as a format": changed_json(format=[storage.FORMAT]),
    "a byte order mark": lambda path: b"\xef\xbb\xbf" + changed_json()(path),
    "text behind it": lambda path: changed_json()(path) + b"{}",
}
ARRAYS = {
    "format": np.array(storage.FORMAT),
    "version": np.array(2),
    "names": np.array(["a", "b"]),
    "numbers": np.array([1.0, 2.0]),
}


def changed_npz(save=np.savez, **changes):
    def change(path):
        file = io.BytesIO()
        arrays = {**ARRAYS, **changes}
        save(file, **{name: x for name, x in arrays.items() if x is not None})
        return file.getvalue()

    return change


def patched(old, new):
    """Another header of the same length, with the checksums put right."""

    def change(path):
        file = io.BytesIO()
        archive = zipfile.ZipFile(io.BytesIO(changed_npz()(path)))
        with archive, zipfile.ZipFile(file, "w") as target:
            for name in archive.namelist():
                room = old + b" " * (len(new) - len(old))
                target.writestr(name, archive.read(name).replace(room, new))
        assert new in file.getvalue()
        return file.getvalue()

    return change


NPZ_DAMAGES = {
    "compressed": changed_npz(np.savez_compressed),
    "a bomb": changed_npz(np.savez_compressed, numbers=np.zeros(10**6)),
    "a bomb of names": changed_npz(names=np.array(["a", "b"], "U3")[:, None]),
    "an endless array": patched(b"(2,), }", b"(99999999999,), }"),
    "an array of less than nothing": patched(b"(2,), }", b"(-2,), }"),
    "true as a version": changed_npz(version=np.array(True)),
    "a float as a version": changed_npz(version=np.array(1.0)),
    "versions": changed_npz(version=np.array([1])),
    "objects": changed_npz(numbers=np.array([1.0, None], dtype=object)),
    "complex numbers": changed_npz(numbers=np.array([1.0, 2.0j])),
    "dates": changed_npz(numbers=np.array(["2020", "2021"], "M8[D]")),
    "a table": changed_npz(numbers=np.zeros((2, 1))),
    "an array too many": changed_npz(more=np.zeros(1)),
    "an array too few": changed_npz(numbers=None),
    "a record": changed_npz(numbers=np.zeros(2, [("x", float)])),
}


def refuse(path, content):
    model = MLP(2, [3, 1], seed=0)
    before = model.state_dict()
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match=path.name) as error:
        model.load(path)
    assert "save the model again" in str(error.value)
    assert model.state_dict() == before


@pytest.mark.parametrize("damage", list(DAMAGES))
def test_damaged_files(path, damage):
    refuse(path, DAMAGES[damage](path))


@pytest.mark.parametrize("damage", list(JSON_DAMAGES))
def test_damaged_json(tmp_path, damage):
    path = tmp_path / "model.json"
    refuse(path, JSON_DAMAGES[damage](path))


@pytest.mark.parametrize("damage", list(NPZ_DAMAGES))
def test_damaged_npz(tmp_path, damage):
    path = tmp_path / "model.npz"
    refuse(path, NPZ_DAMAGES[damage](path))


def test_what_the_other_damages_change_is_read(tmp_path):
    for suffix, change in ((".json", changed_json()), (".npz", changed_npz())):
        path = tmp_path / f"model{suffix}"
        path.write_bytes(change(path))
        assert storage.read(path) == {"a": 1.0, "b": 2.0}


def test_nothing_unfolds(tmp_path):
    """A file of a megabyte that stands for gigabytes is refused, unread."""
    path = tmp_path / "model.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in ARRAYS.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array)
                if name == "numbers":
                    for _ in range(200):
                        member.write(bytes(1 << 20))
    assert path.stat().st_size < 1 << 20
    tracemalloc.start()
    try:
        with pytest.raises(FileFormatError, match="is compressed"):
            storage.read(path)
        assert tracemalloc.get_traced_memory()[1] < 10 << 20
    finally:
        tracemalloc.stop()


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("a file was executed",))


def test_nothing_is_unpickled(tmp_path):
    arrays = {
        "format": np.array(storage.FORMAT),
        "version": np.array(2),
        "names": np.array(["a"]),
        "numbers": np.array([Bomb()], dtype=object),
    }
    np.savez(tmp_path / "source.npz", **arrays)
    refuse(tmp_path / "model.npz", (tmp_path / "source.npz").read_bytes())


@pytest.mark.parametrize("place", [0.3, 0.5, 0.7, 0.9])
def test_flipped_bits_are_noticed_or_harmless(tmp_path, place):
    """A zip's checksum covers the numbers: they are right, or the file is refused."""
    path = tmp_path / "model.npz"
    content = bytearray(valid(path))
    right = storage.read(path)
    content[int(place * len(content))] ^= 0xFF
    path.write_bytes(content)
    with contextlib.suppress(FileFormatError):
        assert storage.read(path) == right


def test_another_architecture(path):
    MLP(2, [3, 1], seed=0).save(path)
    model = MLP(2, [4, 1], seed=0)
    before = model.state_dict()
    with pytest.raises(ShapeError, match=r"missing: layer0\.neuron3"):
        model.load(path)
    assert model.state_dict() == before


def test_paths_that_cannot_be_used(tmp_path, path):
    model = MLP(1, [1])
    with pytest.raises(FileNotFoundError):
        model.load(path)
    nowhere = tmp_path / "nowhere" / path.name
    with pytest.raises(FileNotFoundError, match="cannot save") as error:
        model.save(nowhere)
    assert error.value.filename == str(nowhere)
    path.mkdir()
    with pytest.raises(OSError, match="cannot save"):
        model.save(path)
    assert os.listdir(tmp_path) == [path.name]


def test_an_interrupted_save_keeps_the_old_file(path, monkeypatch):
    MLP(2, [3, 1], seed=0).save(path)
    before = path.read_bytes()

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        MLP(2, [3, 1], seed=1).save(path)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


@pytest.fixture
def model():
    return MLP(2, [3, 1], seed=0)


posix = pytest.mark.skipif(os.name != "posix", reason="modes and links of POSIX")


@posix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666])
def test_the_mode_of_a_file_is_kept(path, model, mode):
    path.write_bytes(b"old")
    path.chmod(mode)
    model.save(path)
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert storage.read(path) == model.state_dict()


@posix
def test_a_new_file_has_the_usual_mode(path, model):
    before = os.umask(0o027)
    try:
        model.save(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@posix
@pytest.mark.parametrize("exists", [True, False])
def test_a_link_stays_a_link(path, model, exists):
    (path.parent / "folder").mkdir()
    target = path.parent / "folder" / path.name
    if exists:
        target.write_bytes(b"old")
    path.symlink_to(os.path.join("folder", path.name))
    model.save(path)
    assert path.is_symlink()
    assert storage.read(target) == model.state_dict()
    assert os.listdir(target.parent) == [path.name]


@posix
def test_what_is_no_regular_file_is_not_replaced(path, model):
    path.symlink_to(os.devnull)
    model.save(path)
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)
    assert path.is_symlink()


def test_a_long_name(path, model):
    long = path.with_name("m" * (230 - len(path.suffix)) + path.suffix)
    model.save(long)
    assert storage.read(long) == model.state_dict()


@pytest.mark.parametrize("name", ["a\0.json", "a\0.npz"])
def test_nul_in_a_path(tmp_path, model, name):
    for action in (model.save, model.load):
        with pytest.raises(ValueError, match=r"a.x00.* NUL character"):
            action(str(tmp_path / name))


def test_a_name_that_would_not_come_back(path):
    class Named(Module):
        def __init__(self):
            self.parts = {"w\0": Value(1.0)}

    with pytest.raises(ValueError, match=r"'parts.w.x00' ends in a NUL"):
        Named().save(path)
    assert not path.exists()
