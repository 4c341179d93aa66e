"""Where a face belongs in the picture: five points of it, and the similarity transform that brings them there."""

import numpy as np
from numpy.typing import NDArray

Points = NDArray[
    np.float32
]  #: x and y of both eyes (the picture's left one first), nose tip, both corners of the mouth

#: where the five points come to lie in a picture of height and width 1
TEMPLATE = np.array([(0.36, 0.42), (0.64, 0.42), (0.5, 0.575), (0.39, 0.71), (0.61, 0.71)], np.float32)


def similarity(source: Points, target: Points) -> tuple[complex, complex]:
    """The (a, b) of z -> a z + b, points as complex numbers x + iy, that brings `source` [K, 2] nearest to `target`
    [K, 2] in least squares: a turns and scales, b shifts; nothing is ever mirrored (Umeyama 1991, without reflection).
    """
    here, there = (points[:, 0] + 1j * points[:, 1] for points in (source, target))
    here, there, middle, goal = here - here.mean(), there - there.mean(), here.mean(), there.mean()
    a = complex(np.vdot(here, there) / np.vdot(here, here).real)
    return a, complex(goal - a * middle)


def smooth(points: NDArray[np.float32], deviation: float) -> NDArray[np.float32]:
    """Points over time [T, K, 2], averaged over neighbouring frames with a Gaussian of `deviation` frames (0: as they
    are); beyond the ends the motion goes on as in a mirror, so that what moves evenly stays where it was."""
    if deviation == 0 or len(points) == 1:
        return points
    reach = min(int(np.ceil(3 * deviation)), len(points) - 1)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / deviation) ** 2)
    before = 2 * points[0] - points[reach:0:-1]
    after = 2 * points[-1] - points[-2 : -2 - reach : -1]
    longer = np.concatenate([before, points, after])
    windows = np.lib.stride_tricks.sliding_window_view(longer, len(weights), axis=0)
    return (windows @ (weights / weights.sum())).astype(np.float32)


def aligned(frame: NDArray[np.uint8], points: Points, size: int) -> NDArray[np.uint8]:
    """The face of `frame` [H, W, 3] with `points`, upright in the middle of a picture [size, size, 3]; what lies
    outside of the frame mirrors what lies inside."""
    import cv2

    a, b = similarity(points, TEMPLATE * size)
    for _ in range(8):  # a face that is large is halved first: bilinear interpolation would leave out pixels
        if abs(a) >= 0.5:
            break
        frame, a = cv2.pyrDown(frame), 2 * a
    matrix = np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])
    return cv2.warpAffine(frame, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)


def outside(points: Points, height: int, width: int, steps: int = 16) -> float:
    """The share of the aligned picture that lies outside of its frame, 0 to 1."""
    a, b = similarity(points, TEMPLATE)
    grid = (np.arange(steps) + 0.5) / steps
    places = (grid[None] + 1j * grid[:, None] - b) / a
    inside = (places.real >= 0) & (places.real < width) & (places.imag >= 0) & (places.imag < height)
    return float(1 - inside.mean())


def side(points: Points) -> float:
    """How many pixels of the frame the aligned picture is wide."""
    return 1 / abs(similarity(points, TEMPLATE)[0])
