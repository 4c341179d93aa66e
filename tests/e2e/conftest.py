"""The real page in a real browser: `python app.py` in a process of its own, with releases that are small and quick."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.animator import make_animator
from tests.e2e.visitors import Animation, Comparing, Growing, Resampling, Server, Visit, Walking

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def page_releases(tmp_path_factory, make_release) -> Path:
    """Six releases for Explore, two of them without attention, one that grows, one that lays layers over each other,
    one with three subspaces and clips of any length, one with two for motion, their directions (of one anchor) beside
    them, and one for Image to video. Two have been measured alike, and there is a benchmark."""
    import torch

    from vidgan import hub
    from vidgan.explore import directions
    from vidgan.models import ReleaseInfo, build

    folder = tmp_path_factory.mktemp("page") / "checkpoints"
    patch = pytest.MonkeyPatch()
    patch.setattr(directions, "_anchors", lambda dim: 1)
    for seed, (name, labels) in enumerate({"g3an-expressions": None, "g3an-plain": ()}.items()):
        options = {} if labels is None else {"labels": labels}
        directions.directions_of(hub.load(make_release(folder / name, seed=seed, attention_after=None, **options)))
    torch.manual_seed(0)
    tree = build("progressive", size=32, width=8, latent=8)
    info = ReleaseInfo("progressive-faces", "progressive", data="expressions", frames=8, size=32)
    directions.directions_of(hub.load(hub.save_release(folder / "progressive-faces", tree, info, card="# faces\n")))
    layers = build("vgan", width=2, noise=8).eval()
    for parameter in layers.parameters():  # as it begins, it is all grey
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=2 * parameter[0].numel() ** -0.5)
    info = ReleaseInfo("vgan-expressions", "vgan", data="expressions", frames=16, size=64)
    directions.directions_of(hub.load(hub.save_release(folder / "vgan-expressions", layers, info, card="# layers\n")))
    frames = build("mvtgan", classes=2, size=64, width=2, hidden=8, embedding=4, spectral_norm=False).eval()
    info = ReleaseInfo("mvtgan-people", "mvtgan", labels=("walk", "run"), data="people")
    directions.directions_of(hub.load(hub.save_release(folder / "mvtgan-people", frames, info, card="# people\n")))
    steps = build("mocogan", classes=2, width=2).eval()
    info = ReleaseInfo("mocogan-people", "mocogan", labels=("walk", "run"), data="crowd")
    directions.directions_of(hub.load(hub.save_release(folder / "mocogan-people", steps, info, card="# people\n")))
    for name, value in (("g3an-expressions", 20.0), ("vgan-expressions", 30.0)):
        measured(folder / name, value)
    benchmark(folder)
    patch.undo()
    make_animator(folder / "imaginator-expressions", folder.parent)
    return folder


def measured(release: Path, value: float) -> None:
    """A Fréchet distance with its controls, and the curve that led there, into a release's folder."""
    key = "fvd_vidgan-0a_512x16f64"
    report = {"data": "expressions", "split": "test", "clips": 512, "real_clips": 512, "frames": 16, "size": 64}
    controls = {"floor": {key: 1.5}, "frozen": {key: 50.0}}
    lines = [{"step": 100 * i, f"test_{key}": value + 10 / i} for i in (1, 2, 3)]
    losses = [{"step": step, "g_video": 1 / step, "d_video": 1.0} for step in (20, 40, 60)]
    (release / "metrics.json").write_text(json.dumps({key: value, **report, "controls": controls}))
    (release / "curve.json").write_text(json.dumps({"train": losses, "metrics": lines}))


def benchmark(checkpoints: Path) -> None:
    """A benchmark of two rows, which confirms a claim, beside the releases."""
    key = "fvd_vidgan-0a_512x16f64"
    rows = {
        name: {"parameters": 2_000_000, "seeds": 3, "metrics": {key: {"mean": mean, "interval": [mean - 1, mean + 1]}}}
        for name, mean in (("G3AN", 20.0), ("VGAN", 30.0))
    }
    claim = {"suite": "baselines", "source": "G3AN, Table 1", "claim": "G3AN < VGAN in FID", "data": "expressions",
             "budget": 8000, "scale": "narrow", "decided_by": "fvd_", "lower": True}  # fmt: skip
    (checkpoints / "benchmark.json").write_text(json.dumps([claim | {"verdict": "confirmed", "rows": rows}]))


@pytest.fixture(scope="session")
def server(root, page_releases, tmp_path_factory):
    server = Server(root, page_releases, tmp_path_factory.mktemp("log") / "page.log").start()
    yield server
    server.stop()
    assert "Traceback" not in server.log.read_text(), server.log.read_text()


@pytest.fixture(scope="session")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip("There is no Chromium here (apt-get install chromium).")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser, server):
    """visit(query, kind=Visit, **options) -> a visitor; what went wrong is told when the test is over."""
    opened = []

    def go(query: str | None = None, kind: type = Visit, **options) -> Visit:
        opened.append(kind(browser, server, **options))
        return opened[-1].open() if query is None else opened[-1].open(query)

    yield go
    trouble = [line for one in opened for line in one.trouble]
    for one in opened:
        one.context.close()
    assert not trouble


@pytest.fixture
def animation(visit):
    """animation(query, **options) -> a visitor of Image to video."""
    return lambda query=None, **options: visit(query, kind=Animation, **options)


@pytest.fixture
def resampling(visit):
    """resampling(query, **options) -> a visitor of Resample."""
    return lambda query=None, **options: visit(query, kind=Resampling, **options)


@pytest.fixture
def growing(visit):
    """growing(query, **options) -> a visitor of Growth."""
    return lambda query=None, **options: visit(query, kind=Growing, **options)


@pytest.fixture
def comparing(visit):
    """comparing(query, **options) -> a visitor of Compare."""
    return lambda query=None, **options: visit(query, kind=Comparing, **options)


@pytest.fixture
def walking(visit):
    """walking(query, **options) -> a visitor of Interpolate."""
    return lambda query=None, **options: visit(query, kind=Walking, **options)


@pytest.fixture(scope="session")
def loaded():
    """name -> generator, for `drawn`."""
    return {}


@pytest.fixture
def drawn(page_releases, loaded, monkeypatch):
    """drawn(query) -> frames of a link, uint8 [T, H, W, 3], made in this process through the Python interface."""
    from vidgan import hub, video
    from vidgan.explore.animate import animate
    from vidgan.explore.bookmark import Bookmark

    monkeypatch.setenv("VIDGAN_CHECKPOINTS", str(page_releases))

    def frames(query: str) -> np.ndarray:
        def find(name):
            if name not in loaded:
                loaded[name] = hub.load(name)
            return name, loaded[name]

        bookmark = Bookmark.from_query(query, find)
        generator = loaded[bookmark.release]
        if generator.takes_image:
            return animate(generator, bookmark.latents, bookmark.condition(generator))
        return video.to_uint8(generator.generate(bookmark.latents, bookmark.condition(generator)))[0]

    return frames
