"""What the tab *Explore* asks the server for."""

import re

import numpy as np

from .. import video
from ..errors import VidganError
from ..explore.bookmark import Bookmark
from .handlers import Handlers, answer, first_label
from .point import REACH, SHOWN, change, point, redrawn
from .releases import Release, data_url, draw, growing

MAX_CELLS = 8  #: clips in one row of the matrix
OPENING = {"appearance": 32, "motion": 4}  #: seeds of the first picture


class Studio(Handlers):
    """The handlers of Explore: generators that draw people of their own, and two handles on each."""

    takes_image = False
    nothing = "There is no release here yet: train one, or put one into checkpoints/."
    other = "sets pictures in motion, in the tab Image to video."
    point_keys = re.compile(r"(^|[?&])(label|frames|stage|view|z|seed\.\w+|truncation\.\w+)=")

    def release(self, name: str | None = None) -> Release:
        release = super().release(name)
        release.look_for_directions()
        return release

    def opening(self, name: str | None = None) -> Bookmark:
        release = self.release(name) if name else self.first()
        generator = release.generator
        seeds = {space.name: OPENING.get(space.role, 0) for space in generator.latent_space}
        return Bookmark.draw(generator, seeds, label=first_label(generator), release=release.name)

    # --- handlers ---------------------------------------------------------------------------------------------------
    @answer
    def find_directions(self, request: dict) -> dict:
        """{query} -> the directions of the release if they are known by now, else how far the search is."""
        release, bookmark = self.bookmark(request.get("query"))
        return {**self.about(release), "point": point(release, bookmark)}

    @answer
    def row(self, request: dict) -> dict:
        """{query, appearance, motions} -> one row of the matrix: a strip with all clips of the row one below another.

        appearance: a seed as text, or null for the query's own; motions: a list of {seed, label}, either null. Where a
        release has neither appearance nor motion, a clip's seed draws all of it.
        """
        release, corner = self.bookmark(request.get("query"))
        motions = request.get("motions")
        if not isinstance(motions, list) or not 1 <= len(motions) <= MAX_CELLS:
            raise VidganError(f"A row of the matrix has 1 to {MAX_CELLS} clips.")
        if not all(isinstance(motion, dict) for motion in motions):
            raise VidganError("Each clip of a row is asked for by a seed and a label.")
        roles = {space.role for space in release.generator.latent_space}
        role = "motion" if roles & {"appearance", "motion"} else None
        cells, clips, spent = [], [], 0.0
        for motion in motions:
            cell = corner
            if request.get("appearance") is not None:
                cell = redrawn(release, cell, "appearance", request["appearance"])
            if motion.get("seed") is not None:
                cell = redrawn(release, cell, role, motion["seed"])
            if motion.get("label") is not None:
                cell = change(release, cell, {"kind": "label", "weights": {str(motion["label"]): 1.0}})
            drawn = draw(release, cell)
            cells.append(cell.to_query(release.generator))
            clips.append(video.filmstrip(drawn.frames))
            spent += drawn.ms
        picture = np.concatenate(clips)[None]
        return {"cells": cells, "strip": data_url(*video.sprite(picture, quality=88)), "ms": round(spent, 1)}

    @answer
    def ends(self, request: dict) -> dict:
        """{query, space, family, index} -> what the two ends of a slider look like, one strip below the other."""
        release, bookmark = self.bookmark(request.get("query"))
        clips = []
        for value in (-REACH, REACH):
            moved = change(release, bookmark, {**request, "kind": "move", "value": value})
            clips.append(video.filmstrip(draw(release, moved).frames))
        return {"strip": data_url(*video.sprite(np.concatenate(clips)[None], quality=88))}

    # --- answers ----------------------------------------------------------------------------------------------------
    def change(self, release: Release, bookmark: Bookmark, what: dict) -> Bookmark:
        return change(release, bookmark, what)

    def point(self, release: Release, bookmark: Bookmark) -> dict:
        return point(release, bookmark)

    def about(self, release: Release) -> dict:
        generator, found = release.generator, release.directions
        spaces = []
        for space in generator.latent_space:
            known = found.get(space.name) if found else None
            spaces.append(
                {
                    "name": space.name,
                    "role": space.role,
                    "dim": space.dim,
                    "directions": [round(float(share), 4) for share in known.share[:SHOWN]] if known else None,
                }
            )
        return {
            "release": release.name,
            "labels": list(generator.labels) if generator.config.classes else [],
            "lengths": list(generator.frame_options),
            "native": generator.frames,
            "levels": [list(level) for level in generator.config.levels] if generator.grows else [],
            "growing": growing(),
            "views": list(generator.views),
            "fps": generator.fps,
            "spaces": spaces,
            "searching": found is None,
            "progress": round(release.progress, 3),
            "reach": REACH,
        }
