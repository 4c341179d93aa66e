"""Weizmann actions (Gorelick et al., "Actions as Space-Time Shapes"), the 64x64 person-centred crops of MoCoGAN.

4 actions x 9 subjects, 51 to 146 frames each: a reader of `weizmann64/weizmann64.npz` (see docs/data.md). Subjects are
split first, 6 to train and 3 to test; only then, and only in training, clips are mirrored at random. G3AN (section 4.1)
trains on this data with a random temporal step; so do ImaGINator's "steps 1 to 4".
"""

import torch

from ..errors import VidganError
from .arrays import check_numbers, find, load_npz, parse_stride, pick, resize, to_clip, windows
from .base import Batch, step_generator

ORIGIN = "build it from the clips in data/actions of github.com/sergeytulyakov/mocogan (research use; see docs/data.md)"


class Weizmann:
    """A clip source over all clips of one split, resident on `device` as uint8. Factors: action, subject (index into
    `subjects`), start, stride, flip, all int64 [B].
    """

    name = "weizmann"
    fps = 25.0

    def __init__(
        self,
        split: str = "train",
        frames: int = 16,
        size: int = 64,
        seed: int = 0,
        rank: int = 0,
        device: str | torch.device = "cpu",
        root: str | None = None,
        stride: int | str | tuple[int, int] | None = None,
        flip: bool = True,
    ):
        """stride: lowest and highest temporal step, drawn for each clip (and no more than fits into it); None is
        1 to 4 as far as that fits into every clip of the data set: (1, 3) for 16 frames, 1 from 27 frames on. flip:
        mirror half of the clips, in training. Raises VidganError when data is missing or clips are too short.
        """
        check_numbers(frames, size)
        self.path = find("weizmann64", "weizmann64.npz", root, ORIGIN)
        names = ("frames", "offsets", "action", "subject", "is_test", "action_names", "subject_names")
        data = load_npz(self.path, names)
        self.split, self.frames, self.size, self.seed, self.rank = split, frames, size, seed, rank
        self.labels = tuple(str(name) for name in data["action_names"])
        self.subjects = tuple(str(name) for name in data["subject_names"])
        self.flip = flip and split == "train"

        offsets = torch.from_numpy(data["offsets"])
        shortest = int(offsets.diff().min())
        fits = (shortest - 1) // max(1, frames - 1)
        self.stride = parse_stride(stride) if stride is not None else (1, max(1, min(4, fits)))
        if self.stride[0] > fits:
            raise VidganError(
                f"{frames} frames with stride {self.stride[0]} do not fit: the shortest weizmann clip has {shortest}."
            )
        chosen = torch.from_numpy(data["is_test"] == (split == "test")).nonzero()[:, 0]
        self.lengths = offsets.diff()[chosen]
        self.starts = self.lengths.cumsum(0) - self.lengths  # of each clip in `pixels`
        self.action = torch.from_numpy(data["action"])[chosen]
        self.subject = torch.from_numpy(data["subject"])[chosen]
        kept = torch.cat([torch.arange(offsets[clip], offsets[clip + 1]) for clip in chosen])
        pixels = torch.from_numpy(data["frames"])[kept].permute(0, 3, 1, 2).contiguous()
        self.pixels = resize(pixels, size).to(device)  # [all frames, 3, H, W]

    def __len__(self) -> int:
        """Number of clips in this split."""
        return len(self.lengths)

    def batch(self, size: int, step: int) -> Batch:
        """`size` random windows of random clips, a pure function of (seed, rank, step, size)."""
        generator = step_generator(self.seed, self.rank, step)
        clip = pick(len(self), size, generator)
        index, start, stride = windows(self.lengths[clip], self.frames, self.stride, generator)
        flip = torch.rand(size, generator=generator) < (0.5 if self.flip else 0)
        device = self.pixels.device
        pixels = self.pixels[(index + self.starts[clip][:, None]).to(device)]  # [B, T, 3, H, W]
        if flip.any():
            mirrored = flip.to(device)
            pixels[mirrored] = pixels[mirrored].flip(-1)
        video = to_clip(pixels)
        label = self.action[clip].to(device)
        factors = {"action": self.action[clip], "subject": self.subject[clip]}
        factors |= {"start": start, "stride": stride, "flip": flip.long()}
        return Batch(video, label, {name: value.to(device) for name, value in factors.items()})


def open_source(**options) -> Weizmann:
    """See `Weizmann`."""
    return Weizmann(**options)
