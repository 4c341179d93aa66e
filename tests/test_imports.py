"""The house's arrows: who may import whom, and what an installation without the page or the trainer can do without."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

#: room -> the rooms that it may import; what is not written here is forbidden
ARROWS = {
    "errors": "",
    "latents": "errors",
    "conditions": "errors",
    "files": "errors",
    "vision": "errors",
    "decode": "errors",
    "video": "errors files decode",
    "stills": "errors",
    "pictures": "errors stills video",
    "models": "errors latents conditions",
    "data": "errors files video decode",
    "metrics": "errors files latents conditions video models data vision",
    "hub": "errors files models",
    "remote": "errors hub",
    "inference": "errors latents conditions video models",
    "explore": "errors files latents conditions video pictures models inference",
    "training": "errors files latents conditions video models data metrics hub vision",
    "benchmark": "errors files hub models data metrics training",
    "ui": "errors files latents conditions video pictures models data metrics hub inference explore",
    "doctor": "errors files hub models vision",
    "arguments": "errors video explore",
    "commands": "errors latents conditions video pictures models data metrics hub remote explore doctor training "
    "benchmark",
    "cli": "errors arguments commands",
}
#: inside a function only, so that no circle is ever imported: a run folder is loaded by who wrote it, the Hub if asked
DEFERRED = {("hub", "training"), ("hub", "remote")}


def imports(path: Path, root: Path) -> set[tuple[str, bool]]:
    """Every module that a file imports, by its full name, and whether it does so at the top."""
    package = path.relative_to(root).parent.parts
    tree = ast.parse(path.read_text("utf-8"))
    found = set()
    for node in ast.walk(tree):
        top = node in tree.body
        if isinstance(node, ast.Import):
            found |= {(alias.name, top) for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = [*package[: len(package) + 1 - node.level]] if node.level else []
            module = ".".join([*base, node.module] if node.module else base)
            found |= {(f"{module}.{alias.name}" if module == "vidgan" else module, top) for alias in node.names}
    return found


def rooms(root: Path) -> dict[str, set[tuple[str, bool]]]:
    """room -> the other rooms of the house that its files import."""
    found = {}
    for path in (root / "vidgan").rglob("*.py"):
        room = path.relative_to(root / "vidgan").parts[0].removesuffix(".py")
        for name, top in imports(path, root):
            other = (name + ".").split(".")[1]
            if name.startswith("vidgan.") and other != room and not other.startswith("__"):
                found.setdefault(room, set()).add((other, top))
        found.setdefault(room, set())
    return found


def test_every_room_has_its_arrows(root):
    there = set(rooms(root)) - {"__init__", "__main__"}
    assert there <= set(ARROWS), f"new rooms need a line in ARROWS: {there - set(ARROWS)}"
    assert {name for allowed in ARROWS.values() for name in allowed.split()} <= set(ARROWS)


@pytest.mark.parametrize("room", ARROWS)
def test_arrows_run_one_way(room, root):
    for other, top in sorted(rooms(root).get(room, ())):
        allowed = other in ARROWS[room].split() or (not top and (room, other) in DEFERRED)
        assert allowed, f"{room} must not import {other}{'' if top else ', not even inside a function'}"


def test_the_arrows_themselves_have_no_circle():
    below: set[str] = set()
    for room, allowed in ARROWS.items():  # written from the bottom of the house to its top
        assert set(allowed.split()) <= below, f"{room} would import something above it"
        below.add(room)


def test_the_package_itself_imports_only_nouns(root):
    assert {name for name, top in rooms(root)["__init__"] if top} <= {"conditions", "errors", "latents"}


def python(code: str, root: Path, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, env=environment, cwd=root
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


NOT_FOR_USE = ["torchvision", "gradio", "accelerate", "plotly", "tensorboard", "scipy", "tyro", "torchmetrics", "cv2"]


def test_importing_the_package_is_light(root):
    heavy = [*NOT_FOR_USE, "av", "huggingface_hub", "PIL"]
    code = "import sys, json, vidgan; vidgan.Latents; print([n for n in sys.argv[1:] if n in sys.modules])"
    assert python(code, root, *heavy).strip() == "[]"


def test_using_the_package_needs_neither_page_nor_trainer(root):
    code = (
        "import sys; from vidgan import cli, hub, inference, models, video; import vidgan.explore.directions;"
        "import vidgan.metrics.animation, vidgan.metrics.novelty;"
        "print([n for n in sys.argv[1:] if n in sys.modules])"
    )
    assert python(code, root, *NOT_FOR_USE).strip() == "[]"


BARE = """
import importlib.machinery, pkgutil, re, sys
from importlib import metadata

def closure(names):
    found, waiting = set(), list(names)
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in found:
            continue
        found.add(name)
        try:
            needs = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        waiting += [re.match(r"[A-Za-z0-9._-]+", need)[0] for need in needs if "extra ==" not in need]
    return found

wanted = closure(["torch", "numpy", "safetensors", "accelerate", "tqdm", "tyro", "pillow"])
hidden = {
    module for module, owners in metadata.packages_distributions().items()
    if not any(re.sub(r"[-_.]+", "-", owner).lower() in wanted | {"vidgan", "setuptools", "pip"} for owner in owners)
}
assert {"gradio", "av", "scipy", "tensorboard", "pytest"} <= hidden, hidden
assert not {"torch", "numpy", "accelerate", "tyro", "PIL"} & hidden

class Bare(importlib.machinery.PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in hidden else super().find_spec(name, path, target)

sys.meta_path[:] = [Bare if finder is importlib.machinery.PathFinder else finder for finder in sys.meta_path]
import vidgan.training
names = [info.name for info in pkgutil.walk_packages(vidgan.training.__path__, "vidgan.training.")]
for name in names:
    __import__(name)
from vidgan.data import open_source
from vidgan.models import build
assert open_source("expressions", frames=4, size=32).batch(1, 0).clip.shape == (1, 3, 4, 32, 32)
build("g3an", width=1)
import train
print(len(names), sorted(hidden & set(sys.modules)))
"""


def test_training_runs_on_a_machine_with_little_installed(root):
    count, imported = python(BARE, root).split(maxsplit=1)
    assert int(count) >= 8 and imported.strip() == "[]"
