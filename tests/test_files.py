"""Files and folders that appear whole or not at all, and where the cache is."""

import pytest

from vidgan import VidganError
from vidgan.files import cache_folder, new_folder, replaced, write_atomic


def test_the_cache_is_where_the_variable_says(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("VIDGAN_CACHE", raising=False)
    assert cache_folder() == tmp_path / ".cache" / "vidgan"
    monkeypatch.setenv("VIDGAN_CACHE", "~/kept")
    assert cache_folder() == tmp_path / "kept" and not (tmp_path / "kept").exists()


def test_a_bank_is_kept_below_the_home_folder(monkeypatch, tmp_path):
    from vidgan.data import open_source

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("VIDGAN_CACHE", "~/kept")
    open_source("expressions", frames=1, size=32, bank=2)
    assert len(list((tmp_path / "home" / "kept").iterdir())) == 1 and not (tmp_path / "~").exists()


def test_what_fails_leaves_the_old_and_nothing_beside_it(tmp_path):
    path = write_atomic(tmp_path / "new" / "file", b"old")
    with pytest.raises(RuntimeError), replaced(path) as draft:
        draft.write_bytes(b"half")
        raise RuntimeError
    with pytest.raises(RuntimeError), new_folder(tmp_path / "new") as draft:
        (draft / "file").write_bytes(b"half")
        raise RuntimeError
    assert path.read_bytes() == b"old" and list(path.parent.iterdir()) == [path]
    assert list(tmp_path.iterdir()) == [tmp_path / "new"]
    with new_folder(tmp_path / "new") as draft:
        (draft / "other").write_bytes(b"whole")
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["other"]
    with pytest.raises(VidganError, match="Could not write"):
        write_atomic(tmp_path / "new" / "other" / "file", b"")
