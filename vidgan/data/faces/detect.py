"""Faces in a frame and shots in a video, by libraries that carry their networks with them (extra `face-clips`).

MediaPipe finds faces and 468 points of each; PySceneDetect finds cuts. TrailerFaces was made with a Haar cascade, a
deep alignment network of 68 points and matched SIFT features; these do the same work and need no file of weights.
"""

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ...errors import VidganError
from .align import Points, aligned

#: points of the mesh whose means are the five points: both eyes (as pictures show them), nose tip, corners of the mouth
FIVE = (
    (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246),
    (362, 382, 381, 380, 374, 373, 390, 249, 263, 466, 388, 387, 386, 385, 384, 398),
    (1, 4, 44, 274),
    (61,),
    (291,),
)
SURE, THERE = 0.5, 0.3  #: least confidence that there is a face in a frame, and in a box in which one was found
MARGINS = (0.3, 0.8)  #: how much of a face's box is added around it where its points are looked for: first, and again
OVERLAP = 0.3  #: boxes of one face in consecutive frames share at least so much of their union
LOOK = 24  #: height and width of what is kept of each face, to tell whether it stays the same


Box = tuple[float, float, float, float]  #: left, top, right, bottom in pixels


@dataclass(frozen=True)
class Face:
    """box: what the points of the mesh take up; points: the five, in pixels; look: uint8 [LOOK, LOOK, 3], how it
    looks aligned, without hair and background."""

    box: Box
    points: Points
    look: NDArray[np.uint8]


def overlap(one: Box, other: Box) -> float:
    """Intersection over union, 0 to 1."""
    (a, b, c, d), (e, f, g, h) = one, other
    common = max(0.0, min(c, g) - max(a, e)) * max(0.0, min(d, h) - max(b, f))
    union = (c - a) * (d - b) + (g - e) * (h - f) - common
    return common / union if union > 0 else 0.0


class Finder:
    """Faces of single frames. Its networks are made for the first one."""

    def __init__(self, networks: Callable[[], tuple]):
        self._open = networks

    @cached_property
    def _networks(self) -> tuple:
        return self._open()

    def faces(self, frame: NDArray[np.uint8], before: Sequence[Face] = ()) -> list[Face]:
        """Those of a frame [H, W, 3], the largest first; a box in which no points are found is no face.

        before: the faces of the frame before: where one was and none is found, its points are looked for all the same.
        """
        height, width = frame.shape[:2]
        boxes = []
        detection, _ = self._networks
        for found in detection.process(frame).detections or ():
            box = found.location_data.relative_bounding_box
            left, top = box.xmin * width, box.ymin * height
            boxes.append((left, top, left + box.width * width, top + box.height * height))
        boxes.sort(key=lambda box: (box[0] - box[2]) * (box[3] - box[1]))
        boxes += [face.box for face in before if all(overlap(face.box, box) < OVERLAP for box in boxes)]
        faces: list[Face] = []
        for box in boxes:
            face = self._face(frame, box)
            if face is not None and all(overlap(face.box, other.box) < OVERLAP for other in faces):
                faces.append(face)
        return faces

    def _face(self, frame: NDArray[np.uint8], box: Box) -> Face | None:
        mesh = next((mesh for margin in MARGINS if (mesh := self._points(frame, box, margin)) is not None), None)
        if mesh is None:
            return None
        points = np.stack([mesh[list(group)].mean(0) for group in FIVE]).astype(np.float32)
        edge = LOOK // 3
        seen = aligned(frame, points, LOOK + 2 * edge)[edge:-edge, edge:-edge]
        return Face((*mesh.min(0).tolist(), *mesh.max(0).tolist()), points, np.ascontiguousarray(seen))

    def _points(self, frame: NDArray[np.uint8], box: Box, margin: float) -> NDArray[np.float32] | None:
        """All points of a face [468, 2], in pixels."""
        left, top, right, bottom = box
        half = max(right - left, bottom - top) * (0.5 + margin)
        middle = (left + right) / 2, (top + bottom) / 2
        x, y = (max(0, int(place - half)) for place in middle)
        crop = np.ascontiguousarray(frame[y : int(middle[1] + half) + 1, x : int(middle[0] + half) + 1])
        _, mesh = self._networks
        found = mesh.process(crop).multi_face_landmarks if min(crop.shape[:2]) > 1 else None
        if not found:
            return None
        points = np.array([(point.x, point.y) for point in found[0].landmark], np.float32)
        return points * (crop.shape[1], crop.shape[0]) + (x, y)


@contextmanager
def finder() -> Iterator[Finder]:
    """Holds the networks for as long as the context lasts. VidganError where MediaPipe is not there."""
    os.environ.setdefault("GLOG_minloglevel", "3")  # its libraries talk a lot
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from mediapipe.python.solutions.face_detection import FaceDetection
            from mediapipe.python.solutions.face_mesh import FaceMesh
    except ImportError as error:
        raise missing(error) from error
    with warnings.catch_warnings(), ExitStack() as opened:
        warnings.filterwarnings("ignore", "SymbolDatabase.GetPrototype")

        def networks() -> tuple:
            with unheard():
                detection = opened.enter_context(FaceDetection(model_selection=1, min_detection_confidence=SURE))
                mesh = opened.enter_context(
                    FaceMesh(static_image_mode=True, max_num_faces=1, min_detection_confidence=THERE)
                )
                for network in (detection, mesh):  # they say the last of it while they see their first frame
                    network.process(np.zeros((64, 64, 3), np.uint8))
            return detection, mesh

        yield Finder(networks)


@contextmanager
def unheard() -> Iterator[None]:
    """Drops what the process writes to its standard error output, libraries that are not in Python included."""
    with ExitStack() as undo:
        with suppress(OSError):  # there is none, or nothing to take its place
            kept = os.dup(2)
            undo.callback(os.close, kept)
            with open(os.devnull, "wb") as nothing:
                os.dup2(nothing.fileno(), 2)
            undo.callback(os.dup2, kept, 2)
        yield


class Cuts:
    """Shot boundaries of a video whose frames are shown one by one: `first` holds the first frame of each shot."""

    WIDTH = 256  #: pixels of what the detector sees

    def __init__(self, fps: float):
        try:
            from scenedetect import AdaptiveDetector, FrameTimecode
        except ImportError as error:
            raise missing(error) from error
        self._time, self._open = (lambda number: FrameTimecode(number, fps)), lambda: AdaptiveDetector(min_scene_len=2)
        self._detector, self._shape = self._open(), None
        self.first: list[int] = []
        self._seen = 0

    def show(self, frame: NDArray[np.uint8]) -> None:
        """The next frame [H, W, 3]; where the size changes, there is a cut."""
        import cv2

        if frame.shape != self._shape:
            self._detector, self._shape = self._open(), frame.shape
            self.first.append(self._seen)

        shrink = min(1, self.WIDTH / frame.shape[1])
        size = max(1, round(frame.shape[1] * shrink)), max(1, round(frame.shape[0] * shrink))
        small = cv2.resize(frame[..., ::-1], size, interpolation=cv2.INTER_AREA)
        found = self._detector.process_frame(self._time(self._seen), small)
        self.first += [cut.frame_num for cut in found]
        self._seen += 1


def missing(error: ImportError) -> VidganError:
    return VidganError(
        f"Face clips need MediaPipe and PySceneDetect, on Python 3.12 or older ({error}): "
        'pip install "vidgan[face-clips]"'
    )
