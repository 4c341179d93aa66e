"""How close a generated clip is to the real one that follows the same picture: SSIM, PSNR and L1, frame by frame.

As in ImaGINator (section 4.2), of the whole frame; and of the region that moves, as on the rest a generator that
repeats its input can hardly be beaten. Both sides are uint8 frames as shown; SSIM and PSNR are torchmetrics'.
"""

import math

import numpy as np
import torch
from torch import Tensor

from ..errors import VidganError
from ..vision import mend
from .scores import Scores

MOVED = 16  #: a pixel moves where any of its colours leaves the first frame by more than so many of 255 levels
#: PSNR of a frame that is one level off everywhere. Nobody sees less; without an upper bound, one frame that is the
#: same to the bit would make a whole clip's mean infinite
CAP = 20 * math.log10(255)


def fidelity(real: np.ndarray | Tensor, made: np.ndarray | Tensor) -> Scores:
    """Real and made frames uint8 [B, T, H, W, 3] -> numbers of B clips, each the mean over its T frames.

    `ssim_TfS` (Wang et al. 2004: Gaussian window of 1.5 pixels, 11 wide, inside the picture; the mean over colours),
    `psnr_TfS` (decibels, at most CAP = 48.13) and `l1_TfS` (mean absolute difference), all for values in 0..1. Then
    `ssim_moving16_TfS` and `psnr_moving16_TfS`: the SSIM map (to the edges, mirrored there) and the squared error
    averaged over the pixels where the real clip, in any of its frames, leaves its first frame by more than 16 levels;
    NaN for a clip where nothing does.
    Counts: `psnr_capped_frames`, `still_clips`. Raises VidganError for frames of different or other shapes.
    """
    real, made = _checked(real), _checked(made)
    if real.shape != made.shape:
        raise VidganError(f"Frames {list(made.shape)} cannot be compared with {list(real.shape)}.")
    clips, length, height, width = real.shape[:4]
    if min(height, width) < 11:
        raise VidganError(f"SSIM looks at 11 x 11 pixels; these frames are {height} x {width}.")
    moves = moving(real)
    rows = [_clip(*pair) for pair in zip(real, made, moves, strict=True)]
    name = protocol(length, height, width)
    values = {
        f"{metric}_{name}": torch.tensor([row[metric] for row in rows], dtype=torch.float64)
        for metric in ("ssim", "psnr", "l1", f"ssim_moving{MOVED}", f"psnr_moving{MOVED}")
    }
    capped = sum(row["capped"] for row in rows)
    return Scores(values, {"psnr_capped_frames": capped, "still_clips": clips - int(moves.flatten(1).any(1).sum())})


def protocol(frames: int, height: int, width: int) -> str:
    """What a metric's name says of the clips: 32f64, or 32f96x64 (height first)."""
    return f"{frames}f{height}" + ("" if height == width else f"x{width}")


def moving(real: Tensor) -> Tensor:
    """Where real clips uint8 [B, T, H, W, 3] move, bool [B, H, W]: see MOVED."""
    change = (real.short() - real[:, :1].short()).abs_().amax((1, 4))
    return change > MOVED


def _clip(real: Tensor, made: Tensor, moves: Tensor) -> dict[str, float]:
    """The numbers of one clip, uint8 [T, H, W, 3], whose pixels `moves` [H, W] move."""
    image = _torchmetrics()
    x, y = (frames.movedim(-1, 1).float().div(255) for frames in (made, real))  # [T, 3, H, W] in 0..1
    options = {"data_range": 1.0, "reduction": "none"}
    _, similar = image.structural_similarity_index_measure(x, y, return_full_image=True, sigma=1.5, **options)
    psnr = image.peak_signal_noise_ratio(x, y, dim=(1, 2, 3), **options)
    inner = similar[..., 5:-5, 5:-5]  # where the window lies inside the picture, as in Wang et al. and scikit-image
    row = {
        "ssim": inner.mean().item(),
        "psnr": psnr.double().clamp(max=CAP).mean().item(),
        "l1": (x - y).abs().mean().item(),
        "capped": int((psnr > CAP).sum()),
    }
    still = {f"ssim_moving{MOVED}": math.nan, f"psnr_moving{MOVED}": math.nan}
    if not moves.any():
        return row | still
    error = (x - y).double().square()[..., moves].mean((1, 2))
    psnr = (-10 * error.clamp(min=1e-12).log10()).clamp(max=CAP)
    return row | {
        f"ssim_moving{MOVED}": similar[..., moves].mean().item(),
        f"psnr_moving{MOVED}": psnr.mean().item(),
    }


def check_installed() -> None:
    """VidganError where torchmetrics, which all this needs, is missing."""
    _torchmetrics()


def _torchmetrics():
    try:
        mend()  # torchmetrics imports torchvision where it finds one
        from torchmetrics.functional import image
    except ImportError as error:
        raise VidganError(f'SSIM and PSNR need torchmetrics ({error}): pip install "vidgan[metrics]"') from error
    return image


def _checked(frames: np.ndarray | Tensor) -> Tensor:
    frames = frames if isinstance(frames, Tensor) else torch.as_tensor(np.ascontiguousarray(frames))
    if frames.ndim != 5 or frames.shape[-1] != 3 or frames.dtype != torch.uint8 or 0 in frames.shape[1:]:
        kind = str(frames.dtype).removeprefix("torch.")
        raise VidganError(
            f"Clips are compared as frames uint8 [clips, frames, height, width, 3]; these are {kind} "
            f"{list(frames.shape)}."
        )
    return frames.cpu()
