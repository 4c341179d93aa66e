"""Who is in a picture: what turns frames into vectors that lie close for one person and far apart for two.

`load_identity()` is a small network of our own (`checkpoints/identity`), trained on the people, characters and subjects
of our data sets. `FaceEmbedder` uses a face network that a user brings. Anything else with `embed` and `name` will do.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import VidganError
from .weights import find_weights, load_weights, weights_hash

NAME = "identity"  #: the folder of the release
SIZE = 64  #: H = W that the network looks at; other frames are resized
CHUNK = 64  #: frames that go through a network at a time


class Embedder(Protocol):
    """What tells who is in a frame. name: enters the metrics' names, so it must change when the numbers would."""

    name: str

    def embed(self, frames: np.ndarray | Tensor) -> Tensor:
        """Frames uint8 [N, H, W, 3] -> float32 [N, d] on the CPU; a row of NaN for a frame that shows nobody."""
        ...


def check_frames(frames: np.ndarray | Tensor) -> Tensor:
    """Frames as a tensor uint8 [N, H, W, 3]; VidganError for another kind or shape, and for none."""
    frames = frames if isinstance(frames, Tensor) else torch.as_tensor(np.ascontiguousarray(frames))
    if frames.ndim != 4 or frames.shape[-1] != 3 or frames.dtype != torch.uint8 or 0 in frames.shape:
        kind = str(frames.dtype).removeprefix("torch.")
        raise VidganError(f"Frames are uint8 [frames, height, width, 3]; these are {kind} {list(frames.shape)}.")
    return frames


@dataclass(frozen=True)
class IdentityConfig:
    """width: channels after the first layer; features: length of the vector."""

    width: int = 24
    features: int = 64


class IdentityNetwork(nn.Module):
    """image [B, 3, H, W] in [-1, 1] -> vectors [B, 64] of length 1.

    It looks at whole frames and searches for no face, so it never says that nobody is there: people are expected where
    our data sets have them, in the middle.
    """

    def __init__(self, config: IdentityConfig | None = None):
        super().__init__()
        self.config = config = config or IdentityConfig()
        width = config.width
        self.trunk = nn.Sequential(
            _conv(3, width, 5, 2),  # width x 32 x 32
            _conv(width, 2 * width, 3, 2),  # 2 width x 16 x 16
            _conv(2 * width, 2 * width, 3, 1),
            _conv(2 * width, 4 * width, 3, 2),  # 4 width x 8 x 8
            _conv(4 * width, 4 * width, 3, 1),
            _conv(4 * width, 4 * width, 3, 2),  # 4 width x 4 x 4
        )
        self.project = nn.Linear(4 * width * 16, config.features)

    def forward(self, image: Tensor) -> Tensor:
        return F.normalize(self.project(self.trunk(_fit(image)).flatten(1)).float(), dim=1)

    @torch.no_grad()
    def embed(self, frames: np.ndarray | Tensor) -> Tensor:
        """Vectors float32 [N, 64] on the CPU; the same to 1e-5 whatever they are embedded with."""
        return self._each(frames, self)

    @torch.no_grad()
    def look(self, frames: np.ndarray | Tensor) -> Tensor:
        """What is seen where, whoever it is: the third layer's channels, averaged in 4 x 4 squares; frames uint8
        [N, H, W, 3] -> float32 [N, 2 width * 16] on the CPU."""
        return self._each(frames, lambda image: F.adaptive_avg_pool2d(self.trunk[:3](_fit(image)), 4).flatten(1))

    def _each(self, frames: np.ndarray | Tensor, read: Callable[[Tensor], Tensor]) -> Tensor:
        frames = check_frames(frames)
        if self.training:
            raise VidganError("Identities are told in evaluation mode: call .eval() first.")
        device = self.project.weight.device
        images = (part.movedim(-1, 1).to(device, torch.float32).div(127.5).sub(1) for part in frames.split(CHUNK))
        return torch.cat([read(image).cpu() for image in images])

    @property
    def hash(self) -> str:
        """8 hexadecimal digits of all that decides a vector, read off the weights themselves."""
        return weights_hash(self, SIZE, self.config.width, self.config.features)

    @property
    def name(self) -> str:
        return f"vidgan-{self.hash}"


def _fit(image: Tensor) -> Tensor:
    """The image at 64 x 64, bilinear with antialiasing."""
    if image.shape[-2:] == (SIZE, SIZE):
        return image
    return F.interpolate(image, (SIZE, SIZE), mode="bilinear", antialias=True, align_corners=False)


def _conv(inputs: int, outputs: int, kernel: int, stride: int) -> nn.Sequential:
    layer = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


def load_identity(folder: str | Path | None = None, device: str | torch.device = "cpu") -> IdentityNetwork:
    """The network of a release folder (default: the one that ships), in evaluation mode; read once a process.

    Raises VidganError where the folder is missing, damaged or does not hold what its config.json names.
    """
    return load_weights(folder if folder is not None else find_weights(NAME), _build, device)


def _build(options: dict) -> IdentityNetwork:
    return IdentityNetwork(IdentityConfig(**options))


def describe(network: IdentityNetwork) -> dict:
    """config.json's part that `load_identity` reads."""
    return {"config": asdict(network.config), "hash": network.hash}


# ------------------------------------------------------------------------------------------------ a user's own network


class FaceEmbedder:
    """A face network that the user brings: OpenCV's YuNet finds the face, its SFace tells whose it is.

    Vectors have 128 numbers and length 1, as SFace compares them; where YuNet finds no face the row is NaN, and where
    it finds several the surest counts. The two ONNX files are published in OpenCV's model zoo (face_detection_yunet,
    face_recognition_sface); neither comes with this package.
    """

    def __init__(self, detector: str | Path, recogniser: str | Path, *, sure: float = 0.6, side: int = 256):
        """detector, recogniser: the ONNX files of YuNet and SFace; sure: lowest score that counts as a face; side:
        smaller frames are enlarged to so many pixels first, as YuNet overlooks small faces.

        Raises VidganError for files that are missing or no such networks, and without OpenCV.
        """
        files = [Path(detector).expanduser(), Path(recogniser).expanduser()]
        for path in files:
            if not path.is_file():
                raise VidganError(f"There is no face network at {path}; OpenCV's model zoo has YuNet and SFace.")
        self._cv2 = _opencv()
        self.sure, self.side = sure, side
        digest = hashlib.sha256(json.dumps([sure, side]).encode())
        for path in files:
            digest.update(path.read_bytes())
        self.name = f"sface-{digest.hexdigest()[:8]}"
        try:
            self._detector = self._cv2.FaceDetectorYN.create(str(files[0]), "", (side, side), sure)
            self._recogniser = self._cv2.FaceRecognizerSF.create(str(files[1]), "")
        except self._cv2.error as error:
            raise VidganError(
                f"OpenCV cannot read {files[0].name} as YuNet and {files[1].name} as SFace: {_reason(error)}."
            ) from error

    def embed(self, frames: np.ndarray | Tensor) -> Tensor:
        """Vectors float32 [N, 128]; a row of NaN for a frame without a face."""
        rows = [self._one(frame) for frame in check_frames(frames).cpu().numpy()]
        return torch.from_numpy(np.stack(rows))

    def _one(self, frame: np.ndarray) -> np.ndarray:
        cv2, image = self._cv2, np.ascontiguousarray(frame[..., ::-1])  # OpenCV's order is blue, green, red
        scale = self.side / min(image.shape[:2])
        if scale > 1:
            image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        try:
            self._detector.setInputSize((image.shape[1], image.shape[0]))
            _, faces = self._detector.detect(image)
            if faces is None or not len(faces):
                return np.full(128, np.nan, np.float32)
            surest = faces[faces[:, -1].argmax()]
            vector = self._recogniser.feature(self._recogniser.alignCrop(image, surest)).reshape(-1)
        except cv2.error as error:
            raise VidganError(f"The face network failed on a frame of {frame.shape[:2]}: {_reason(error)}.") from error
        return (vector / max(float(np.linalg.norm(vector)), 1e-12)).astype(np.float32)


def _opencv():
    try:
        import cv2
    except ImportError as error:
        raise VidganError(f'Face networks need OpenCV ({error}): pip install "vidgan[faces]"') from error
    if not hasattr(cv2, "FaceRecognizerSF"):
        raise VidganError(f'OpenCV {cv2.__version__} has no face networks: pip install -U "vidgan[faces]"')
    return cv2


def _reason(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200].rstrip(".")
