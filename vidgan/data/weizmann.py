"""Weizmann actions (Gorelick et al., "Actions as Space-Time Shapes"), the 64x64 person-centred crops of MoCoGAN.

4 actions x 9 subjects, 51 to 146 frames each: a reader of `weizmann64/weizmann64.npz` (see docs/data.md). Subjects are
split first, 6 to train and 3 to test; only then, and only in training, clips are mirrored at random. G3AN (section 4.1)
trains on this data with a random temporal step; so do ImaGINator's "steps 1 to 4".
"""

import torch
from torch import Tensor

from ..errors import VidganError
from .arrays import Windows, find, load_npz, resize

ORIGIN = "build it from the clips in data/actions of github.com/sergeytulyakov/mocogan (research use; see docs/data.md)"


class Weizmann(Windows):
    """A clip source over all clips of one split, resident on `device` as uint8. Factors, int64 [B]: action (the label,
    too), subject (index into `subjects`), start, stride, flip.
    """

    name = "weizmann"

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
        vary: float = 0,
    ):
        """stride: lowest and highest temporal step; each clip draws one, no longer than it has frames for. None is 1 to
        4, as far as that fits into every clip: (1, 3) for 16 frames, 1 from 27 frames on. flip: mirror half of the
        clips, in training; vary, 0 to 1: how far colours and places differ from what was filmed, in training, for a
        generator that is to work for people it has never seen. Raises VidganError when data is missing or clips are too
        short.
        """
        super().__init__(split, frames, size, seed, rank, stride, flip, device, vary)
        self.path = find("weizmann64", "weizmann64.npz", root, ORIGIN)
        names = ("frames", "offsets", "action", "subject", "is_test", "action_names", "subject_names")
        data = load_npz(self.path, names)
        self.labels = tuple(str(name) for name in data["action_names"])
        self.subjects = tuple(str(name) for name in data["subject_names"])

        offsets = torch.from_numpy(data["offsets"])
        shortest = int(offsets.diff().min())
        fits = (shortest - 1) // max(1, frames - 1)
        if stride is None:
            self.stride = (1, max(1, min(4, fits)))
        if self.stride[0] > fits:
            raise VidganError(
                f"{frames} frames with stride {self.stride[0]} do not fit: the shortest weizmann clip has {shortest}."
            )
        chosen = torch.from_numpy(data["is_test"] == (split == "test")).nonzero()[:, 0]
        self.lengths = offsets.diff()[chosen]
        self.starts = self.lengths.cumsum(0) - self.lengths  # of each clip in `pixels`
        self.known = {name: torch.from_numpy(data[name])[chosen] for name in ("action", "subject")}
        self.label = self.known["action"]
        self.identities = len(self.known["subject"].unique())
        kept = torch.cat([torch.arange(offsets[clip], offsets[clip + 1]) for clip in chosen])
        pixels = torch.from_numpy(data["frames"])[kept].permute(0, 3, 1, 2).contiguous()
        self.native = pixels.shape[-1]
        self.pixels = resize(pixels, size).to(device)  # [all frames, 3, H, W]

    def pixels_of(self, clip: Tensor, index: Tensor) -> Tensor:
        return self.pixels[(index + self.starts[clip][:, None]).to(self.device)]


open_source = Weizmann
