"""The cache of machine code on disk: whatever happens to it costs time only."""

import errno
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from autograd.compiler import cache

ROOT = Path(__file__).parent.parent.parent.parent
CODE = bytes(range(256)) * 40


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("SCALAR_AUTOGRAD_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def files(place):
    return sorted(place.glob("*.o"))


def test_what_is_saved_is_loaded(place):
    assert cache.load("key") is None
    cache.save("key", CODE)
    assert cache.load("key") == CODE
    assert cache.load("another") is None
    cache.save("another", b"")
    assert cache.load("another") == b""
    assert len(files(place)) == 2
    assert len(list(place.iterdir())) == 2


@pytest.mark.parametrize("length", [0, 1, 31, 32, 33, 5000, 10_271])
def test_truncated_files_are_not_there(place, length):
    cache.save("key", CODE)
    (file,) = files(place)
    file.write_bytes(file.read_bytes()[:length])
    assert cache.load("key") is None
    cache.save("key", CODE)
    assert cache.load("key") == CODE


@pytest.mark.parametrize("spot", [0, 31, 32, 5000, -1])
def test_damaged_files_are_not_there(place, spot):
    cache.save("key", CODE)
    (file,) = files(place)
    damaged = bytearray(file.read_bytes())
    damaged[spot] ^= 1
    file.write_bytes(damaged)
    assert cache.load("key") is None


def test_misnamed_files_are_not_there(place):
    cache.save("key", CODE)
    (file,) = files(place)
    cache.save("another", CODE + b"more")
    (other,) = set(files(place)) - {file}
    file.write_bytes(other.read_bytes())
    assert cache.load("key") is None
    assert cache.load("another") == CODE + b"more"


def test_longer_files_are_not_there(place):
    cache.save("key", CODE)
    (file,) = files(place)
    file.write_bytes(file.read_bytes() + b"more")
    assert cache.load("key") is None


def test_no_directory(monkeypatch, tmp_path):
    monkeypatch.setenv("SCALAR_AUTOGRAD_CACHE", "")
    assert cache.directory() is None
    cache.save("key", CODE)
    assert cache.load("key") is None
    monkeypatch.delenv("SCALAR_AUTOGRAD_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.directory() == tmp_path / "scalar-autograd"


def test_a_file_in_place_of_the_directory(place):
    place.write_text("not a directory")
    cache.save("key", CODE)
    assert cache.load("key") is None
    assert place.read_text() == "not a directory"


def test_a_directory_in_place_of_a_file(place):
    cache.save("key", CODE)
    (file,) = files(place)
    file.unlink()
    file.mkdir()
    assert cache.load("key") is None
    cache.save("key", CODE)
    assert cache.load("key") is None
    assert [p.name for p in place.iterdir()] == [file.name]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES])
@pytest.mark.parametrize("call", ["replace", "fdopen", "utime"])
def test_a_full_or_read_only_disk(place, monkeypatch, call, code):
    def refuse(*_, **__):
        raise OSError(code, os.strerror(code))

    if call == "utime":
        cache.save("key", CODE)
    monkeypatch.setattr(os, call, refuse)
    cache.save("other", CODE)
    assert cache.load("other") == (CODE if call == "utime" else None)
    assert not list(place.glob("*.part"))
    assert cache.load("key") == (CODE if call == "utime" else None)


def test_the_oldest_go_first(place, monkeypatch):
    monkeypatch.setattr(cache, "LARGEST", 5 * (len(CODE) + 32))
    for k in range(9):
        cache.save(f"key {k}", CODE)
        for n, file in enumerate(files(place)):
            os.utime(file, (1000 + n, file.stat().st_mtime))
        newest = cache._path(f"key {k}")
        os.utime(newest, (2000 + k, 2000 + k))
        cache.load("key 0")  # used again and again: it stays
    assert len(files(place)) == 5
    assert cache.load("key 0") == CODE
    assert cache.load("key 8") == CODE
    assert cache.load("key 1") is None


def test_concurrent_writers_and_readers(place):
    wrong = []

    def work(n):
        for k in range(40):
            cache.save(f"key {k % 4}", CODE + bytes([k % 4]))
            found = cache.load(f"key {(k + n) % 4}")
            if found is not None and found != CODE + bytes([(k + n) % 4]):
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert len(files(place)) == 4
    assert not list(place.glob("*.part"))


# -- Whole processes -----------------------------------------------------------------

PROGRAM = """
import autograd as ag
from autograd import jit, value_and_grad
f = jit(value_and_grad(lambda xs: ag.logsumexp([ag.tanh(x) * x for x in xs])))
value, slopes = f([0.1 * k for k in range(20)])
print(value.hex(), *[s.hex() for s in slopes])
"""


def process(place):
    environment = {**os.environ, "SCALAR_AUTOGRAD_CACHE": str(place)}
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environment,
    )


def answer(run):
    out, err = run.communicate()
    assert run.returncode == 0, err[-2000:]
    return out


def test_processes_share_the_cache(place):
    pytest.importorskip("llvmlite")
    expected = answer(process(""))
    assert answer(process(place)) == expected
    kept = {file: file.read_bytes() for file in files(place)}
    assert kept
    assert answer(process(place)) == expected
    assert {file: file.read_bytes() for file in files(place)} == kept
    for k, file in enumerate(kept):  # a power failure, a bad disk
        file.write_bytes(kept[file][: 100 * k] if k % 2 else b"\0" * len(kept[file]))
    assert answer(process(place)) == expected
    assert {file: file.read_bytes() for file in files(place)} == kept


def test_processes_that_start_at_once(place):
    pytest.importorskip("llvmlite")
    runs = [process(place) for _ in range(4)]
    assert len({answer(run) for run in runs}) == 1
    assert not list(place.glob("*.part"))


def test_a_process_without_a_place(tmp_path):
    pytest.importorskip("llvmlite")
    blocked = tmp_path / "blocked"
    blocked.write_text("")
    assert answer(process(blocked)) == answer(process(""))
