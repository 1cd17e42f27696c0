"""Identical bytes are kept once, what is put in comes out unchanged, and nothing leads out of the store."""

from __future__ import annotations

import errno
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from takedowns.evidence.packing import packed
from takedowns.evidence.store import Store


@given(st.lists(st.binary(max_size=200), max_size=8))
def test_what_is_put_in_is_read_again_and_equal_bytes_are_one_file(tmp_path_factory, contents):
    store = Store(tmp_path_factory.mktemp("store"))
    hashes = [store.put(data) for data in contents]
    assert [store.read(sha256) for sha256 in hashes] == contents
    assert len(list((store.root / "sha256").glob("??/*"))) == len(set(hashes))


def test_an_adopted_file_and_its_twin_are_one_on_the_disk(tmp_path):
    store = Store(tmp_path / "store")
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_bytes(b"same")
    second.write_bytes(b"same")
    sha256 = store.adopt(first)
    assert store.adopt(second) == sha256
    assert first.stat().st_ino == second.stat().st_ino == store.path(sha256).stat().st_ino
    assert store.path(sha256).relative_to(store.root).as_posix() == f"sha256/{sha256[:2]}/{sha256[2:]}"
    assert first.stat().st_mode & 0o222 == 0


def test_a_disk_without_links_gets_a_copy(tmp_path, monkeypatch):
    def no_links(*_):
        raise OSError(errno.EXDEV, "another disk")

    monkeypatch.setattr(os, "link", no_links)
    file = tmp_path / "a"
    file.write_bytes(b"far away")
    store = Store(tmp_path / "store")
    assert store.read(store.adopt(file)) == b"far away"


def test_changed_bytes_are_noticed(tmp_path):
    store = Store(tmp_path)
    sha256 = store.put(b"as it was")
    store.path(sha256).chmod(0o600)
    store.path(sha256).write_bytes(b"as it is")
    assert not store.is_whole(sha256)
    with pytest.raises(ValueError, match="was changed"):
        store.read(sha256)


@pytest.mark.parametrize("name", ["", "..", "../x", "a/b", "a" * 300, "run\n", ".hidden", "C:\\x"])
def test_no_name_leads_out_of_the_store(tmp_path, name):
    with pytest.raises(ValueError, match="is no"):
        Store(tmp_path).manifest(name)
    with pytest.raises(ValueError, match="is no"):
        Store(tmp_path).path(name)


@given(st.dictionaries(st.text("ab./\\.. \n:C", min_size=1, max_size=12), st.binary(max_size=10), max_size=3))
def test_no_name_leads_out_of_a_zip(files):
    try:
        packed(files)
    except ValueError:
        return
    assert all(part.strip(".") and "\\" not in part for path in files for part in path.split("/"))


def test_the_same_files_make_the_same_bytes_in_any_order():
    files = {"b.txt": b"2", "a/one.html": b"1" * 1000}
    assert packed(files) == packed(dict(reversed(files.items())))
    assert packed(files) != packed({**files, "b.txt": b"3"})
