"""Does a clip show one person throughout (ACD-C), and the one whom it was given (ACD-I)?

Average content distance: between the frames of a clip in MoCoGAN (Tulyakov et al. 2018), from the input frame to each
in ImaGINator (section 4.2), after Zhao et al. 2018. The vectors are an embedder's (identity.py), and so is the name.
"""

import numpy as np
import torch
from torch import Tensor

from ..errors import VidganError
from .fidelity import protocol
from .identity import Embedder
from .scores import Scores


def acd_c(vectors: Tensor) -> float:
    """The mean L2 distance of all pairs of a clip's vectors [T, d]; rows of NaN (nobody found) are left out, and with
    fewer than two others it is NaN. 0 for a clip that stands still: read it next to that of real clips."""
    vectors = _found(vectors)
    if len(vectors) < 2:
        return float("nan")
    first, second = torch.triu_indices(len(vectors), len(vectors), 1)
    return (vectors[first] - vectors[second]).norm(dim=1).mean().item()


def acd_i(vectors: Tensor, given: Tensor) -> float:
    """The mean L2 distance of a clip's vectors [T, d] from that of its input frame, [d]; rows of NaN are left out. NaN
    where nobody is found in the input, or in any frame."""
    vectors, given = _found(vectors), given.double()
    if not len(vectors) or given.isnan().any():
        return float("nan")
    return (vectors - given).norm(dim=1).mean().item()


def content(frames: np.ndarray | Tensor, image: np.ndarray | Tensor, embedder: Embedder) -> Scores:
    """Frames uint8 [B, T, H, W, 3] and the pictures that they were made from, uint8 [B, H, W, 3], to numbers of clips.

    `acd_c_NAME_TfS` and `acd_i_NAME_TfS`, by the embedder called NAME. Counts: `undetected_frames` and
    `undetected_inputs`, in which nobody was found, and the clips that have no number for it. Raises VidganError for
    other shapes.
    """
    frames, image = (torch.as_tensor(np.asarray(value)) for value in (frames, image))
    if frames.ndim != 5 or image.ndim != 4 or len(frames) != len(image):
        raise VidganError(
            f"Content needs frames [clips, frames, height, width, 3] and a picture for each clip; these are "
            f"{list(frames.shape)} and {list(image.shape)}."
        )
    clips, length, height, width = frames.shape[:4]
    vectors = embedder.embed(frames.flatten(0, 1)).unflatten(0, (clips, length))
    given = embedder.embed(image)
    name = f"{embedder.name}_{protocol(length, height, width)}"
    values = {
        f"acd_c_{name}": torch.tensor([acd_c(rows) for rows in vectors], dtype=torch.float64),
        f"acd_i_{name}": torch.tensor([acd_i(*pair) for pair in zip(vectors, given)], dtype=torch.float64),
    }
    counts = {
        "undetected_frames": int(vectors.isnan().any(2).sum()),
        "undetected_inputs": int(given.isnan().any(1).sum()),
        "clips_without_acd_c": int(values[f"acd_c_{name}"].isnan().sum()),
        "clips_without_acd_i": int(values[f"acd_i_{name}"].isnan().sum()),
    }
    return Scores(values, counts)


def _found(vectors: Tensor) -> Tensor:
    return vectors[~vectors.isnan().any(1)].double()
