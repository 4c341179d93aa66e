"""torchvision beside a torch that its library was not built for."""

import importlib.metadata
import subprocess
import sys

import pytest

from vidgan import VidganError, vision


def run(code: str, *paths) -> str:
    """What Python prints in a process of its own, with these folders first on its path."""
    lines = [f"import sys; sys.path[:0] = {[str(path) for path in paths]!r}", code]
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_networks_of_the_installed_torchvision_can_be_made():
    importlib.metadata.version("torchvision")  # the tests' own requirement
    code = "from vidgan.vision import torchvision as t; print(t('models.video').r3d_18(weights=None).fc.out_features)"
    assert run(code) == "400"


@pytest.mark.parametrize("library", [b"no library", None])
def test_only_a_library_that_does_not_load_is_mended(library, tmp_path):
    package = tmp_path / "torchvision"
    package.mkdir()
    (package / "__init__.py").write_text("import torch; WHOLE = not hasattr(torch.ops.torchvision, 'nms')")
    (package / "models.py").write_text("NAME = 'mine'")
    if library:
        (package / "_C.so").write_bytes(library)
    code = (
        "from vidgan import vision; vision.mend(); import torchvision;"
        "print(vision.torchvision('models').NAME, torchvision.WHOLE, bool(vision.trouble()))"
    )
    assert run(code, tmp_path) == f"mine {not library} {bool(library)}"


def test_without_torchvision_one_sentence_says_what_to_install(monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"] + ["torchvision"]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(VidganError, match=r"vidgan\[vision\]"):
        vision.torchvision("models.video")
