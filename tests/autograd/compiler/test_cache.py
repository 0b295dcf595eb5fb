"""The cache of machine code on disk: whatever happens to it costs time only."""

import errno
import os
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import pytest

from autograd.compiler.llvm import cache

ROOT = Path(__file__).parent.parent.parent.parent
CODE = bytes(range(256)) * 40


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("SCALAR_AUTOGRAD_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def files(place):
    return sorted(place.rglob("*.o"))


def test_what_is_saved_is_loaded(place):
    assert cache.load("key") is None
    cache.save("key", CODE)
    assert cache.load("key") == CODE
    assert cache.load("another") is None
    cache.save("another", b"")
    assert cache.load("another") == b""
    assert len(files(place)) == 2
    assert sum(path.is_file() for path in place.rglob("*")) == 2


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
    assert [path.name for path in file.parent.iterdir()] == [file.name]


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
    assert not list(place.rglob("*.part"))
    assert cache.load("key") == (CODE if call == "utime" else None)


@pytest.fixture
def one_shard(place, monkeypatch):
    monkeypatch.setattr(cache, "SHARDS", 1)
    return place


@pytest.mark.parametrize("limit", ["bytes", "files"])
def test_the_oldest_go_first(one_shard, monkeypatch, limit):
    if limit == "bytes":
        monkeypatch.setattr(cache, "LARGEST", 5 * (len(CODE) + 32))
    else:
        monkeypatch.setattr(cache, "MOST", 5)
    for k in range(9):
        cache.save(f"key {k}", CODE)
        for n, file in enumerate(files(one_shard)):
            os.utime(file, (1000 + n, file.stat().st_mtime))
        (newest,) = one_shard.rglob(cache._name(f"key {k}"))
        os.utime(newest, (2000 + k, 2000 + k))
        cache.load("key 0")  # used again and again: it stays
    assert len(files(one_shard)) == 5
    assert cache.load("key 0") == CODE
    assert cache.load("key 8") == CODE
    assert cache.load("key 1") is None


def test_what_exceeds_a_share_is_not_kept(one_shard, monkeypatch):
    monkeypatch.setattr(cache, "LARGEST", 100)
    cache.save("key", bytes(69))
    assert not files(one_shard)
    cache.save("key", bytes(68))
    assert cache.load("key") == bytes(68)


def test_parts_of_killed_writers_are_removed(one_shard):
    cache.save("key", CODE)
    (file,) = files(one_shard)
    old, new = file.parent / "abandoned.part", file.parent / "under way.part"
    for part in (old, new):
        part.write_bytes(CODE)
    os.utime(old, (1000, 1000))
    cache.save("another", CODE)
    assert not old.exists() and new.exists()


def test_pruning_looks_at_one_shard(place, monkeypatch):
    """However many files there are: a call looks at as many as a shard may have."""
    monkeypatch.setattr(cache, "MOST", 3)
    for k in range(200):
        cache.save(f"key {k}", b"code")
    looked_at, real = [], os.lstat

    def lstat(name, **where):
        looked_at.append(name)
        return real(name, **where)

    monkeypatch.setattr(os, "lstat", lstat)
    cache.save("one more", b"code")
    assert 0 < len(looked_at) <= 4
    assert len(files(place)) == 3 * cache.SHARDS


# -- Whom the cache trusts -------------------------------------------------------------

posix = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="no owners and modes")


@pytest.fixture
def reasons(monkeypatch):
    """Reasons that were given before are given again."""
    monkeypatch.setattr(cache, "_warned", set())


@posix
def test_nobody_else_may_look_or_write(place):
    before = os.umask(0)
    try:
        cache.save("key", CODE)
    finally:
        os.umask(before)
    (file,) = files(place)
    for path in (place, file.parent):
        assert path.stat().st_mode & 0o777 == 0o700
    assert file.stat().st_mode & 0o777 == 0o600


def spoil(path, how, other):
    """Let a path be what nobody should load code from."""
    if how == "mode":
        path.chmod(path.stat().st_mode | 0o020)
    elif how == "link":
        path.rename(other)
        path.symlink_to(other)


@posix
@pytest.mark.parametrize("how", ["mode", "link"])
@pytest.mark.parametrize("which", ["directory", "shard", "file"])
def test_what_others_may_write_is_not_loaded(place, tmp_path, reasons, which, how):
    cache.save("key", CODE)
    (file,) = files(place)
    path = {"directory": place, "shard": file.parent, "file": file}[which]
    spoil(path, how, tmp_path / "elsewhere")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert cache.load("key") is None
        assert cache.load("key") is None
    if how == "mode" or which != "file":
        (warning,) = caught
        assert issubclass(warning.category, cache.CacheWarning)
        assert str(path) in str(warning.message)


@posix
def test_what_belongs_to_another_user_is_not_loaded(place, reasons, monkeypatch):
    cache.save("key", CODE)
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.warns(cache.CacheWarning, match="belongs to user"):
        assert cache.load("key") is None


@posix
@pytest.mark.parametrize("how", ["fifo", "endless", "large"])
def test_no_file_is_waited_for_or_fills_the_memory(place, reasons, how):
    cache.save("key", CODE)
    (file,) = files(place)
    file.unlink()
    if how == "fifo":
        os.mkfifo(file)
    elif how == "endless":
        file.symlink_to("/dev/zero")
    else:
        with file.open("wb") as sparse:
            sparse.truncate(cache.LARGEST // cache.SHARDS + 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cache.CacheWarning)
        assert cache.load("key") is None
        cache.save("key", CODE)  # takes the place of whatever is there
        assert cache.load("key") == CODE


@posix
def test_the_open_folder_is_asked_not_its_path(place, tmp_path, monkeypatch):
    """Who moves folders about between two looks changes nothing."""
    cache.save("key", CODE)
    real, moved = cache._refuse_strangers, tmp_path / "moved"

    def meanwhile(found, path, kind):
        real(found, path, kind)
        if path == str(place) and not moved.exists():
            place.rename(moved)
            place.mkdir()
            (place / "planted").write_text("planted")

    monkeypatch.setattr(cache, "_refuse_strangers", meanwhile)
    assert cache.load("key") == CODE
    assert moved.exists()


@pytest.mark.parametrize("text", ["cache", "./cache", "~/cache", "~"])
def test_relative_places_are_none(tmp_path, monkeypatch, reasons, text):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SCALAR_AUTOGRAD_CACHE", text)
    with pytest.warns(cache.CacheWarning, match="absolute"):
        assert cache.directory() is None
    cache.save("key", CODE)
    assert not list(tmp_path.iterdir())
    monkeypatch.delenv("SCALAR_AUTOGRAD_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", text)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    if os.name == "posix":
        assert cache.directory() == tmp_path / "home/.cache/scalar-autograd"
    monkeypatch.setenv("HOME", text)
    if os.name == "posix":
        assert cache.directory() is None
        cache.save("key", CODE)
        assert not list(tmp_path.iterdir())


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
    assert not list(place.rglob("*.part"))


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
    assert not list(place.rglob("*.part"))


def test_a_process_without_a_place(tmp_path):
    pytest.importorskip("llvmlite")
    blocked = tmp_path / "blocked"
    blocked.write_text("")
    assert answer(process(blocked)) == answer(process(""))
