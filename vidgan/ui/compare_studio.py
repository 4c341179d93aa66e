"""What the tab *Compare* asks the server for: a column, the numbers, the curves, and the blind test."""

import threading
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np

from .. import hub, pictures, video
from ..data.expressions.factors import FIRST_TEST_IDENTITY, TEST_IDENTITIES
from ..errors import VidganError, unknown
from ..explore import claims, compare, curves, measured
from ..explore.bookmark import Bookmark
from ..explore.parse import parse_seed
from ..models import ARCHITECTURES, ReleaseInfo
from . import faces
from .blind import REAL, SHOWN_REAL, Pair, Pairs, real_clip, toss
from .handlers import DEFAULT_LABEL, TRAINED_ON, WAITING, answer, file, format_of
from .releases import Releases, comparable, data_url, draw
from .resample_studio import FORMATS

SIDES = ("left", "right")
OPENING = 32  #: the first seed


class CompareStudio:
    """The handlers of Compare. Thread-safe; of a visitor it remembers the pairs that wait for a vote, and no more."""

    def __init__(self, releases: Releases | None = None):
        self.releases = releases or Releases()
        self.room = threading.BoundedSemaphore(WAITING)
        self.pairs = Pairs()

    # --- handlers ---------------------------------------------------------------------------------------------------
    @answer
    def begin(self, request: dict) -> dict:
        """{releases: names or null, seed, label} -> what can be compared, what is chosen, and its numbers.

        What cannot be is told (`complaint`), and the first releases that can be compared are there instead.
        """
        complaint = None
        families = comparable()
        if not families:
            raise VidganError("There are no two releases of one data set here yet, so there is nothing to compare.")
        first = [info.name for info in next(iter(families.values()))[:2]]
        try:
            infos, seed, label = self._asked(request if request.get("releases") else {**request, "releases": first})
        except VidganError as error:
            complaint = str(error)
            infos, seed, label = self._asked({"releases": first})
        told = [curves.read(info) for info in infos]
        return {
            "families": [_family(data, members) for data, members in families.items()],
            "data": infos[0].data,
            "releases": [info.name for info in infos],
            "most": compare.MAX_RELEASES,
            "seed": str(seed),
            "label": label,
            "labels": compare.labels(infos),
            "table": [asdict(row) for row in measured.table(infos)],
            "claims": [asdict(claim) for claim in claims.read(hub.checkpoints() / hub.BENCHMARK, infos[0].data)],
            "curves": curves.quantities(told),
            "real": infos[0].data in SHOWN_REAL,
            "complaint": complaint,
        }

    @answer
    def column(self, request: dict) -> dict:
        """{releases, seed, label, index} -> one release's clip, and what stands above it."""
        infos, seed, label = self._asked(request)
        index = request.get("index")
        if type(index) is not int or not 0 <= index < len(infos):
            raise VidganError(f"The columns are 0 to {len(infos) - 1}, not {str(index)[:20]}.")
        image = self._picture(infos, seed) if infos[index].takes_image else None
        release, bookmark = self._point(infos[index], seed, label, image)
        generator, drawn = release.generator, draw(release, bookmark)
        return {
            "name": release.name,
            "parameters": generator.parameter_count,
            "takes_label": bool(generator.config.classes),
            "picture": data_url(*video.sprite(pictures.unpack(bookmark.image)[None])) if bookmark.image else None,
            "strip": data_url(*video.sprite(drawn.frames, lossless=True)),
            "frames": len(drawn.frames),
            "rate": drawn.fps,
            "query": bookmark.to_query(generator),
            "python": bookmark.to_python(generator),
            "cli": bookmark.to_cli(generator),
        }

    @answer
    def sheet(self, request: dict) -> dict:
        """{releases, seed, label, format} -> all clips side by side, as a file."""
        kind = format_of(request, FORMATS)
        infos, seed, label = self._asked(request)
        image = self._picture(infos, seed)
        drawn = [draw(*self._point(info, seed, label, image)) for info in infos]
        frames, rate = compare.abreast([one.frames for one in drawn], [one.fps for one in drawn])
        return file(f"{infos[0].data}-{seed}.{kind}", video.encode(frames, kind, rate), kind)

    @answer
    def curve(self, request: dict) -> dict:
        """{releases, quantity} -> {figure}: how a metric, or the losses, went in training, for plotly."""
        infos, *_ = self._asked(request)
        told = [curves.read(info) for info in infos]
        return {"figure": curves.figure(infos, told, str(request.get("quantity"))[:60])}

    @answer
    def pair(self, request: dict) -> dict:
        """{releases} -> {token, left, right}: two clips, of which nothing says who made them."""
        infos, *_ = self._asked({"releases": request.get("releases")})
        makers, seeds = toss([info.name for info in infos], infos[0].data)
        known = {info.name: info for info in infos}
        generators = [self.releases[name].generator for name in makers if name != REAL]
        length, side = (min(one.frames for one in generators), max(one.size for one in generators))
        clips: dict[str, np.ndarray] = {}
        label, image = _any_label(infos, seeds[0]), None
        if REAL in makers:
            clips[REAL] = real_clip(infos, seeds[makers.index(REAL)], label, length, side)
            image = clips[REAL][0]
        elif any(known[name].takes_image for name in makers):
            image = self._picture([known[name] for name in makers], seeds[0])
        for name, seed in zip(makers, seeds, strict=True):
            if name != REAL:
                clips[name] = draw(*self._point(known[name], seed, label, image)).frames[:length]
        token = self.pairs.keep(Pair(*makers, tuple(seeds), label))
        rate = min(one.fps for one in generators)
        shown = [data_url(*video.sprite(compare.sized(clips[name], side), lossless=True)) for name in makers]
        return {"token": token, **dict(zip(SIDES, shown, strict=True)), "frames": length, "rate": rate}

    @answer
    def vote(self, request: dict) -> dict:
        """{token, choice: left or right} -> who made the two clips. A token is good for one vote."""
        choice = request.get("choice")
        if choice not in SIDES:
            raise unknown("side", str(choice)[:60], SIDES)
        pair = self.pairs.take(request.get("token"))
        if pair is None:
            raise VidganError("That pair has had its vote, or the page was started anew since: here is another one.")
        told = asdict(pair)
        told["seeds"] = dict(zip(SIDES, map(str, pair.seeds), strict=True))
        return {**told, "chosen": told[choice]}

    # --- what was asked for -----------------------------------------------------------------------------------------
    def _asked(self, request: dict) -> tuple[list[ReleaseInfo], int, str]:
        """(releases, seed, label) of a request; VidganError for any that make no sense."""
        names = request.get("releases")
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise VidganError("Releases to compare are given as a list of their names.")
        infos = compare.chosen(hub.releases(), names)
        known, label = compare.labels(infos), request.get("label")
        if label is None:
            label = DEFAULT_LABEL if DEFAULT_LABEL in known else known[0] if known else ""
        if label != "" and label not in known:
            raise unknown("label that these releases share", str(label)[:60], known)
        seed = request.get("seed")
        return infos, parse_seed(OPENING if seed is None else seed), label

    def _picture(self, infos: Sequence[ReleaseInfo], seed: int) -> np.ndarray | None:
        """What all those begin with that animate a picture, uint8 [S, S, 3]: another one for each seed."""
        first = next((info for info in infos if info.takes_image), None)
        if first is None:
            return None
        generator = self.releases[first.name].generator
        if first.data == "expressions":
            return faces.portrait(faces.factors_of(FIRST_TEST_IDENTITY + seed % TEST_IDENTITIES), generator.size)
        examples = faces.examples(generator, self.releases)
        return pictures.unpack(examples[seed % len(examples)])

    def _point(self, info: ReleaseInfo, seed: int, label: str, image: np.ndarray | None) -> tuple:
        """(release, bookmark), loaded where it is not yet."""
        release = self.releases[info.name]
        bookmark: Bookmark = compare.point(release.generator, seed, label, image)
        return release, bookmark


def _any_label(infos: Sequence[ReleaseInfo], seed: int) -> str:
    known = compare.labels(infos)
    return known[seed % len(known)] if known else ""


def _family(data: str, infos: Sequence[ReleaseInfo]) -> dict:
    members = [
        {
            "name": info.name,
            "system": ARCHITECTURES[info.architecture].title.partition(":")[0],
            "title": ARCHITECTURES[info.architecture].title,
            "animates": info.takes_image,
            "labels": list(info.labels),
        }
        for info in infos
    ]
    return {"data": data, "title": TRAINED_ON.get(data, data), "releases": members}
