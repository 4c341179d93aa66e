"""What the trainer measures at intervals: how far the averaged generator is from both splits of its data."""

import torch

from ..data import ClipSource, open_source
from ..errors import VidganError
from ..metrics.animation import STARTS, animation
from ..metrics.distance import distance
from ..metrics.features import load_features
from ..metrics.fidelity import check_installed
from ..models import Generator
from .options import TrainOptions

#: what the names of numbers that are logged begin with
NUMBERS = ("fvd_", "kvd_", "ssim_", "psnr_", "l1_", "acd_")
#: where a data set draws its clips into a bank, the test split's has no more than this
TEST_BANK = 1024


def evaluate(generator: Generator, options: TrainOptions, device: str | torch.device = "cpu") -> dict[str, float | int]:
    """Fréchet and kernel distances to the train split (does it learn?) and the test split (does it memorise?); for a
    generator that animates images, on the test split also SSIM, PSNR, L1 and content distances (`animation`).

    Of `options.evaluate_clips` clips, always the same real ones and the same latents, so that a curve shows the
    training and not the draw. Keys are the metrics' names, with `train_` or `test_` before; `clips` and
    `rank_deficient` (0 or 1) say how far to trust them. Draws nothing from the global random state.
    """
    features = load_features(device=device)
    values: dict[str, float | int] = {"clips": options.evaluate_clips, "rank_deficient": 0}
    for split in ("train", "test"):
        source = open_split(options, split, generator)
        if split == "test" and generator.takes_image:
            result = animation(generator, source, max(1, options.evaluate_clips // STARTS), features=features)
        else:
            result = distance(generator, source, options.evaluate_clips, features=features)
        values |= {f"{split}_{name}": value for name, value in result.items() if name.startswith(NUMBERS)}
        values["rank_deficient"] |= int(result.get("rank_deficient", True))
    return values


def check_ready(generator: Generator, options: TrainOptions) -> None:
    """VidganError, before anything runs, where the first score could not be measured."""
    open_split(options, "test", generator)
    if generator.takes_image:
        check_installed()


def open_split(options: TrainOptions, split: str, generator: Generator | None = None) -> ClipSource:
    """The data of a training run, on the CPU, as clips of the generator's length and size; the test split's bank, where
    there is one, is a small one. Raises VidganError where the split is missing."""
    extra = options.source_options()
    if split == "test" and options.data == "expressions":
        extra["bank"] = min(extra.get("bank") or TEST_BANK, TEST_BANK)
    if generator is not None:
        extra = {"frames": generator.frames, "size": generator.size} | extra
    try:
        return open_source(options.data, split=split, root=options.data_root, seed=options.seed, **extra)
    except VidganError as error:
        raise VidganError(f"The {split} split cannot be measured: {error}") from error
