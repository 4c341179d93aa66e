"""The page in a process of its own, and who visits it: what a test can do in each tab, and what it sees there."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np


class Server:
    """`python app.py` on a free port."""

    def __init__(self, root: Path, checkpoints: Path, log: Path):
        self.root, self.log = root, log
        self.scratch = log.parent / "scratch"  # where the server may put files
        self.scratch.mkdir()
        self.environment = {
            **os.environ,
            "TMPDIR": str(self.scratch),
            "GRADIO_TEMP_DIR": str(self.scratch / "gradio"),
            "VIDGAN_CHECKPOINTS": str(checkpoints),
            "PORT": str(_free_port()),
            "OMP_NUM_THREADS": "1",
        }
        self.url = f"http://127.0.0.1:{self.environment['PORT']}"
        self.process = None

    def start(self) -> "Server":
        command = [sys.executable, str(self.root / "app.py")]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, cwd=self.root, env=self.environment, stdout=log, stderr=log)
        for _ in range(600):
            if self.process.poll() is not None:
                break
            with contextlib.suppress(OSError), urllib.request.urlopen(self.url, timeout=5):
                return self
            time.sleep(0.1)
        raise AssertionError(f"The page did not start:\n{self.log.read_text()}")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Visit:
    """One visitor: a window on the page, and what the tests look at there; ids of the tab begin with `prefix`."""

    prefix = "vg"

    def __init__(self, browser, server: Server, width=1280, height=800, tour=False, **options):
        self.server, self.trouble = server, []
        self.context = browser.new_context(viewport={"width": width, "height": height}, **options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(30_000)
        self.page.on("request", self._request)
        self.page.on("pageerror", lambda error: self.trouble.append(f"script: {error}"))
        self.page.on("console", lambda m: self.trouble.append(f"console: {m.text}") if m.type == "error" else None)
        if not tour:
            self.page.add_init_script("localStorage.setItem('vidgan.tour', 'seen')")

    def _request(self, request) -> None:
        if not request.url.startswith((self.server.url, "data:", "blob:")):
            self.trouble.append(f"asked {request.url}")

    def open(self, query: str = "") -> "Visit":
        self.page.goto(f"{self.server.url}/{query}")
        self.page.wait_for_function("document.querySelectorAll('.vg-cell:not(:disabled)').length > 3")
        self.rest()
        return self

    def rest(self) -> None:
        """Wait until nothing is under way, and what was done is in the address bar."""
        self.page.wait_for_timeout(50)
        self.page.wait_for_function("!document.querySelector('.vg[aria-busy], .vg-cell:disabled')")

    def pixels(self, frame: int | None = None) -> np.ndarray:
        """What the player's canvas shows, uint8 [H, W, 3]; with `frame`, after stopping at that frame."""
        if frame is not None:
            film = self.page.locator(f"#{self.prefix}-film")
            count = int(film.get_attribute("aria-valuemax"))
            box = film.bounding_box()
            film.click(position={"x": (frame + 0.5) * box["width"] / count, "y": 5})
            assert self.page.get_attribute(f"#{self.prefix}-player", "data-frame") == str(frame)
        return self.canvas(f"#{self.prefix}-player")

    def canvas(self, selector: str) -> np.ndarray:
        """What a canvas holds, uint8 [H, W, 3]."""
        values = self.page.evaluate(
            "(selector) => { const c = document.querySelector(selector);"
            "return [c.height, c.width, ...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]; }",
            selector,
        )
        return np.array(values[2:], np.uint8).reshape(values[0], values[1], 4)[..., :3]

    @property
    def query(self) -> str:
        return self.page.evaluate("location.search").lstrip("?")

    def seed(self, name: str) -> str:
        return self.page.input_value(f"[data-space={name}] .vg-seed")

    def slider(self, name: str, text: str):
        return self.page.locator(f"[data-space={name}] .vg-slider", has_text=text).locator("input")


class Animation(Visit):
    """One visitor of the tab Image to video."""

    prefix = "va"

    def open(self, query: str = "?release=imaginator-expressions") -> "Animation":
        self.page.goto(f"{self.server.url}/{query}")
        self.page.wait_for_function("document.querySelectorAll('#va-gallery .vg-cell:not(:disabled)').length > 5")
        self.rest()
        return self

    def rest(self) -> None:
        self.page.wait_for_timeout(50)
        self.page.wait_for_function("!document.querySelector('.va[aria-busy], .va .vg-cell:disabled, .va [aria-busy]')")

    def upload(self, data: bytes, name: str = "picture.png") -> "Animation":
        """A file by the button; returns when what it has led to is there."""
        self.page.set_input_files("#va-file", {"name": name, "mimeType": "image/png", "buffer": data})
        self.rest()
        return self

    @property
    def seen(self) -> np.ndarray:
        """What the page says that the network sees."""
        return self.canvas("#va-seen")

    @property
    def query(self) -> str:
        """The bookmark in the address bar: what the server is asked for, and the picture, which it is not."""
        return self.page.evaluate("`${location.search.slice(1)}&${location.hash.slice(1)}`")

    @property
    def error(self) -> str:
        """What the panel of the picture complains about; empty where it does not."""
        place = self.page.locator("#va-picture > .vg-error")
        return place.inner_text() if place.is_visible() else ""


class Resampling(Visit):
    """One visitor of the tab Resample."""

    prefix, root = "vr", "#vr-resample"
    cells = 7

    def open(self, query: str = "?tab=resample") -> "Resampling":
        self.page.goto(f"{self.server.url}/{query}")
        self.page.wait_for_selector(self.root, state="visible")
        self.rest()
        return self

    def rest(self) -> None:
        """Wait until nothing is under way: all clips are there, and every part is measured."""
        self.page.wait_for_timeout(300)
        self.page.wait_for_function(
            "([root, cells]) => { const tab = document.querySelector(root);"
            "return !tab.matches('[aria-busy]') && !tab.querySelector('[aria-busy], .vg-cell:disabled')"
            "&& tab.querySelectorAll('.vg-cell').length >= cells; }",
            arg=[self.root, self.cells],
        )

    def turn(self, name: str) -> None:
        """Go to another tab by its button; returns when it is there."""
        self.page.get_by_role("tab", name=name).click()

    def fits(self, width: int) -> None:
        """Nothing of the tab reaches beyond the window, and all that can be used has a name and is dark in the dark."""
        inside = self.page.evaluate(
            "(root) => [...document.querySelectorAll(`${root} *, .vg-mast *`)].filter(e => e.offsetParent && "
            "!e.closest('.vg-sr') && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.className)",
            self.root,
        )
        assert not inside and self.page.evaluate("document.documentElement.scrollWidth") <= width
        nameless = self.page.evaluate(
            "(root) => [...document.querySelectorAll(['button', 'select', 'input'].map(tag => `${root} ${tag}`))]"
            ".filter(e => !(e.getAttribute('aria-label') || e.textContent.trim() && e.tagName == 'BUTTON' || "
            "e.closest('label'))).map(e => e.outerHTML.slice(0, 90))",
            self.root,
        )
        assert not nameless
        panel = f"getComputedStyle(document.querySelector('{self.root} .vg-panel')).backgroundColor"
        colour = self.page.evaluate(panel)
        assert sum(map(int, colour.split("(")[1].rstrip(")").split(",")[:3])) < 150

    @property
    def link(self) -> str:
        """All of the address that is ours."""
        return self.page.evaluate("location.search + location.hash")

    @property
    def point(self) -> str:
        """The bookmark in the address, without what the tab adds to it."""
        return self.query.partition("&tab=")[0]

    def error(self, panel: str) -> str:
        """What a panel complains about; empty where it does not."""
        place = self.page.locator(f"{self.root} [aria-label='{panel}'] > .vg-error")
        return place.inner_text() if place.is_visible() else ""


class Growing(Resampling):
    """One visitor of the tab Growth."""

    prefix, root = "vw", "#vw-growth"
    cells = 11

    def open(self, query: str = "?release=progressive-faces&tab=growth") -> "Growing":
        return super().open(query)


class Walking(Resampling):
    """One visitor of the tab Interpolate."""

    prefix, root = "vi", "#vi-interpolate"
    cells = 9

    def open(self, query: str = "?tab=interpolate") -> "Walking":
        return super().open(query)

    @property
    def walk(self) -> str:
        """The text of the walk, as the address holds it."""
        return self.page.evaluate("new URLSearchParams(location.hash.slice(1)).get('walk')")


class Comparing(Resampling):
    """One visitor of the tab Compare."""

    prefix, root = "vc", "#vc-compare"

    def open(self, query: str = "?tab=compare") -> "Comparing":
        self.page.goto(f"{self.server.url}/{query}")
        self.page.wait_for_selector("#vc-compare.vc-there", state="visible")
        self.rest()
        return self

    def rest(self) -> None:
        """Wait until nothing is under way: every column has its clip."""
        self.page.wait_for_timeout(50)
        self.page.wait_for_function("!document.querySelector('.vc[aria-busy], .vc-columns [aria-busy]')")

    def blind(self) -> None:
        """The blind test in sight, with a pair on the table."""
        self.page.evaluate("document.querySelector('#vc-blind').scrollIntoView({ block: 'center' })")
        self.page.wait_for_function("document.querySelectorAll('.vc-choice:not(:disabled, [aria-busy])').length == 2")

    @property
    def votes(self) -> list[dict]:
        return json.loads(self.page.evaluate("localStorage.getItem('vidgan.votes') ?? '[]'"))
