"""Saving over what is there: its mode and its links stay; names that no file may have."""

import os
import stat

import pytest

from autograd import Value
from nn import MLP, Module
from nn.layers import storage


@pytest.fixture(params=[".json", ".npz"])
def path(request, tmp_path):
    return tmp_path / f"model{request.param}"


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
