"""Sample sheets: the same latents at every stage of a training, as one moving picture."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from .. import video
from ..conditions import Condition
from ..models import Generator


def sheet_frames(
    generator: Generator,
    rows: int = 4,
    columns: int = 6,
    seed: int = 0,
    shown: Condition | None = None,
    pictures: bool = True,
) -> np.ndarray:
    """uint8 [T, H, W, 3]: one appearance a row; the columns are the labels, where there are any, else motions.

    Row i holds appearance i of `seed` with motion i, so that along a row only the label (or the motion) changes; where
    there are neither labels nor a subspace for motion, every clip is another point. For a generator that takes an
    image, row i animates image i of `shown`, which stands still in front where `pictures`.
    """
    space, labels = generator.latent_space, generator.labels
    count = min(len(labels), 8) or columns
    one_kind = varies(generator) == "point"
    points = generator.sample(rows * (count if one_kind else 1), seed)
    motions = generator.sample(count, seed)
    grid = []
    for row in range(rows):
        cells, image = [], None
        if shown is not None:
            image = shown.image[row : row + 1]
        if shown is not None and pictures:
            cells.append(video.to_uint8(image[:, :, None].expand(-1, -1, generator.frames, -1, -1))[0])
        for column in range(count):
            point, condition = points.row(row * count + column if one_kind else row), Condition()
            if labels:
                condition = Condition.of_label(column, labels)
            elif not one_kind:
                point = point.replace({s.name: motions.row(column)[s.name] for s in space.by_role("motion")})
            cells.append(video.to_uint8(generator.generate(point, replace(condition, image=image)))[0])
        grid.append(cells)
    return video.grid(grid)


def varies(generator: Generator) -> str:
    """What changes along a row of a sheet: "label", "motion", or "point" where there is neither."""
    if generator.labels:
        return "label"
    return "motion" if generator.latent_space.by_role("motion") else "point"


def save_sheet(frames: np.ndarray, path: Path, fps: float = 12.0) -> Path:
    """Written as animated WebP."""
    path.parent.mkdir(parents=True, exist_ok=True)
    video.write_atomic(path, video.encode(frames, "webp", fps=fps))
    return path
