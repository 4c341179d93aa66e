"""What the tab *Image to video* asks the server for.

Pictures that visitors bring stay in memory (`uploads`); what is animated travels inside the bookmark, as small as the
network sees it.
"""

import logging
import re
from functools import lru_cache

import numpy as np

from .. import pictures
from ..errors import VidganError
from ..explore.bookmark import Bookmark
from ..metrics import novelty
from . import faces
from .animation import LEVELS, change, point
from .handlers import Handlers, answer, first_label, name_of
from .releases import Release, Releases, draw
from .studio import OPENING, Studio
from .uploads import Uploads

log = logging.getLogger("vidgan.page")

RECIPE = "bash recipes/imaginator-expressions.sh"


class AnimationStudio(Handlers):
    """The handlers of Image to video. explore: the other tab's, whose frames can be taken."""

    takes_image = True
    nothing = f"There is no release yet that sets pictures in motion. To train one: {RECIPE}"
    other = "draws people itself, in the tab Explore."
    point_keys = re.compile(r"(^|[?&])(label|image|fusion|then|frames|z|seed\.\w+|truncation\.\w+)=")

    def __init__(self, releases: Releases | None = None, explore: Studio | None = None):
        super().__init__(releases)
        self.explore = explore or Studio(self.releases)
        self.uploads = Uploads()

    def opening(self, name: str | None = None) -> Bookmark:
        release = self.release(name) if name else self.first()
        generator = release.generator
        seeds = {space.name: OPENING.get(space.role, 0) for space in generator.latent_space}
        image = faces.examples(generator, self.releases)[0]
        return Bookmark.draw(generator, seeds, label=first_label(generator), release=release.name, image=image)

    def bookmark(self, query: object) -> tuple[Release, Bookmark]:
        """As everywhere; a link without picture gets the first example."""
        release, bookmark = super().bookmark(query)
        if not bookmark.image:
            image = faces.examples(release.generator, self.releases)[0]
            bookmark = change(release, bookmark, {"kind": "image", "image": image})
        return release, bookmark

    # --- handlers ---------------------------------------------------------------------------------------------------
    @answer
    def read(self, request: dict) -> dict:
        """{data: base64 of a file} -> {token, width, height, stage: a copy to crop from}."""
        return self.uploads.read(request.get("data")) or {"busy": True}

    @answer
    def see(self, request: dict) -> dict:
        """{release, token or image, box} -> {image: what the network sees of the square, packed}.

        box: [x, y, side] in pixels of the picture, or null for the largest square around its middle. {gone: true} where
        the token's picture has been forgotten.
        """
        size = self.release(name_of(request)).generator.size
        if request.get("token") is not None:
            picture = self.uploads.get(request["token"])
            if picture is None:
                return {"gone": True}
        else:
            picture = pictures.unpack(_text(request.get("image")))
        return {"image": _packed(picture, size, _box(request.get("box")))}

    @answer
    def face(self, request: dict) -> dict:
        """{release, factors} -> {image, factors}: a drawn face, packed; factors null: of anybody."""
        size = self.release(name_of(request)).generator.size
        factors = request.get("factors")
        factors = faces.somebody() if factors is None else factors
        return {"image": pictures.pack(faces.portrait(factors, size)), "factors": factors}

    @answer
    def frame(self, request: dict) -> dict:
        """{query, frame} of Explore -> {image: that frame, packed}."""
        release, bookmark = self.explore.bookmark(request.get("query"))
        frames, index = draw(release, bookmark).frames, request.get("frame")
        if type(index) is not int or not 0 <= index < len(frames):
            raise VidganError(f"That clip has the frames 0 to {len(frames) - 1}, not {str(index)[:20]}.")
        square = pictures.crop(frames[index])
        low, high = pictures.SIDES
        return {"image": pictures.pack(pictures.fit(square, min(max(len(square), low), high)))}

    @answer
    def note(self, request: dict) -> dict:
        """{query} -> {note: a sentence where the picture is far from what the release has learnt from, or null}."""
        release, bookmark = self.bookmark(request.get("query"))
        return {"note": _note(release, bookmark.image)}

    # --- answers ----------------------------------------------------------------------------------------------------
    def change(self, release: Release, bookmark: Bookmark, what: dict) -> Bookmark:
        return change(release, bookmark, what)

    def point(self, release: Release, bookmark: Bookmark) -> dict:
        return point(release, bookmark)

    def about(self, release: Release) -> dict:
        generator = release.generator
        return {
            "release": release.name,
            "labels": list(generator.labels) if generator.config.classes else [],
            "side": generator.size,
            "native": generator.frames,
            "fps": generator.fps,
            "levels": [4 * 2**level for level in range(LEVELS)] if getattr(generator.config, "fusion", False) else [],
            "examples": list(faces.examples(generator, self.releases)),
            **(faces.designer() if generator.info.data == "expressions" else {"designer": [], "people": []}),
            "max_bytes": pictures.MAX_BYTES,
        }


def _packed(picture: np.ndarray, size: int, box: tuple[float, ...] | None) -> str:
    return pictures.pack(pictures.fit(pictures.crop(picture, box), size))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise VidganError("The picture must be the text that it has in a link.")
    return value


def _box(value: object) -> tuple[float, ...] | None:
    if value is None:
        return None
    fits = isinstance(value, list) and len(value) == 3 and all(type(number) in (int, float) for number in value)
    if not fits or not all(abs(number) <= 1e6 for number in value):
        raise VidganError("A square is three numbers, x, y and side in pixels.")
    return tuple(value)


@lru_cache(maxsize=256)
def _note(release: Release, image: str) -> str | None:
    """A sentence for a picture that is far from what the release has learnt from, where the release knows that."""
    path = release.generator.info.path / novelty.FILE
    if not path.is_file():
        return None
    try:
        return _familiar(path).note(pictures.unpack(image))
    except VidganError as error:  # its absence is no reason to show nothing
        log.warning("%s", error)
        return None


@lru_cache(maxsize=8)
def _familiar(path) -> novelty.Familiar:
    return novelty.Familiar.load(path)
