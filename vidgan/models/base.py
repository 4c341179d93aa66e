"""What every generator is to the page, the command line, the metrics and the explorer."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from numbers import Real
from pathlib import Path

import torch
from torch import Tensor, nn

from ..conditions import Condition, check_weights
from ..errors import VidganError, unknown
from ..latents import Latents, LatentSpace, whole

MAX_FRAMES = 512  #: the longest clip that can be asked for, where any length can


@dataclass(frozen=True)
class ReleaseInfo:
    """What a release says of itself. frames and size are those it was trained on; fps is how it is shown.

    data_options: options of the data set as `name=value`, so that it is measured on clips like those it learned from;
    takes_image: whether it animates pictures; step and metrics tell where in which training it was taken and how it
    measured.
    """

    name: str
    architecture: str
    data: str = ""
    labels: tuple[str, ...] = ()
    frames: int = 16
    size: int = 64
    fps: float = 12.0
    license: str = "apache-2.0"
    step: int = 0
    path: Path | None = None
    data_options: tuple[str, ...] = ()
    takes_image: bool = False
    metrics: dict = field(default_factory=dict)


class Generator(nn.Module):
    """Base of all generators. Subclasses set `architecture`, `config`, `latent_space` and write `forward`.

    config: the frozen dataclass it was built from, with `classes` (0: takes no label), `frames` and `size` (clip length
    and H = W in pixels of one motion step); info: the release it was loaded from, or None.
    """

    architecture: str
    takes_image: bool = False  #: whether a condition must hold the image to begin with
    grown: float | None = None  #: the stage that its clips have reached, where they grow and are not yet at the last
    grows: bool = False  #: whether its clips grow
    last_stage: int | None = None  #: the last stage of growth, where clips grow and a condition may name one
    any_length: bool = False  #: whether a condition may say how many frames to make, up to MAX_FRAMES
    views: tuple[str, ...] = ()  #: parts of its clips that a condition may ask to see alone

    def __init__(self, config, latent_space: LatentSpace):
        super().__init__()
        self.config = config
        self.takes_image = self.animates(config)
        self.latent_space = latent_space
        self.info: ReleaseInfo | None = None
        self.fused: Callable[[Latents, Condition], Tensor] | None = None

    @classmethod
    def animates(cls, config) -> bool:
        """Whether a generator of this configuration animates pictures: its `image` says so where there is a choice."""
        return getattr(config, "image", cls.takes_image)

    def forward(self, latents: Latents, condition: Condition | None = None) -> Tensor:
        """clip [B, 3, T, H, W] in [-1, 1], differentiable."""
        raise TypeError(f"{type(self).__name__} does not say how it draws a clip")

    @property
    def frames(self) -> int:
        """Length of the clips that it learns from."""
        return self.config.frames

    @property
    def size(self) -> int:
        """Height and width of its clips in pixels."""
        return self.config.size

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the classes; numbered where the weights came without names."""
        if self.info and self.info.labels:
            return self.info.labels
        return tuple(f"class {index}" for index in range(self.config.classes))

    @property
    def fps(self) -> float:
        return self.info.fps if self.info else 12.0

    def fps_of(self, condition: Condition | None = None) -> float:
        """Frames a second of a clip drawn under `condition`: a stage of growth with fewer frames takes as long."""
        return self.fps

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device

    @property
    def parameter_count(self) -> int:
        return sum(parameter.numel() for parameter in self.parameters())

    def frames_of(self, steps: int) -> int:
        """Clip length for latents of that many motion steps."""
        return self.frames

    def steps_for(self, frames: int) -> int:
        """Motion steps that give a clip of `frames`; VidganError naming the lengths that exist.

        Where a clip can have any length, there is one step, and the condition says how many frames.
        """
        if self.any_length:
            check_length(frames)
            return 1
        for steps in range(1, 65):
            if self.frames_of(steps) == frames:
                return steps
        lengths = sorted({self.frames_of(steps) for steps in range(1, 10)})
        raise VidganError(
            f"{self.info.name if self.info else self.architecture} cannot make {frames} frames; it makes "
            f"{', '.join(map(str, lengths))}{' and so on' if len(lengths) > 1 else ''}."
        )

    def sample(self, n: int, seed: int, **options) -> Latents:
        """`n` points of the prior that give clips of the length it learns from; options as `LatentSpace.sample` has
        them."""
        return self.latent_space.sample(n, seed, **{"steps": self.steps_for(self.frames), **options})

    def draw_latents(self, n: int, generator: torch.Generator) -> Latents:
        """The same from a torch generator, for training."""
        return self.latent_space.draw(n, generator, self.steps_for(self.frames))

    def told_length(self, frames: int | None, condition: Condition | None = None) -> Condition | None:
        """`condition`, with the length in it where it is the condition that says it."""
        if not self.any_length or frames in (None, self.frames):
            return condition
        return replace(condition or Condition(), frames=frames)

    @property
    def frame_options(self) -> tuple[int, ...]:
        """Clip lengths up to three times the native one, shortest first; where any can be had, some of them."""
        if self.any_length:
            return tuple(self.frames * halves // 2 for halves in (2, 3, 4, 6))
        lengths = sorted({self.frames_of(steps) for steps in range(1, 65)})
        return tuple(length for length in lengths if length <= 3 * self.frames)

    def check(self, latents: Latents, condition: Condition | None) -> Condition:
        """The condition to use, after both have been checked; VidganError says what does not fit.

        A generator with classes that is given no label takes the even blend of all of them.
        """
        self.latent_space.validate(latents)
        condition = condition or Condition()
        classes = self.config.classes
        if not classes and condition.label is not None:
            raise VidganError("This generator takes no label.")
        if classes and condition.label is None:
            condition = replace(condition, label=torch.full((latents.batch, classes), 1.0 / classes))
        if classes and condition.label.shape != (latents.batch, classes):
            raise VidganError(f"Label weights must be [{latents.batch}, {classes}], not {list(condition.label.shape)}.")
        if classes:
            check_weights(condition.label)
        if condition.frames is not None and not self.any_length:
            raise VidganError("The length of this generator's clips follows from its latents, not from the condition.")
        if condition.frames is not None:
            check_length(condition.frames)
        if condition.stage is not None:
            self.check_stage(condition.stage)
        if condition.view is not None and condition.view not in self.views:
            raise unknown("view", condition.view, self.views)
        if not self.takes_image and (condition.image is not None or condition.fusion is not None):
            raise VidganError("This generator takes no image.")
        if self.takes_image:
            self.check_image(latents.batch, condition)
        return condition

    def check_stage(self, stage: float) -> None:
        """VidganError where the clips do not grow, or not so far."""
        if self.last_stage is None:
            raise VidganError("This generator's clips do not grow: they have no stages.")
        number = isinstance(stage, Real) and not isinstance(stage, bool)
        if not number or not 0 <= stage <= self.last_stage:
            kind = "" if number else f": a plain number is wanted, and this is of type {type(stage).__name__}"
            raise VidganError(f"The stages go from 0 to {self.last_stage}, not {str(stage)[:20]}{kind}.")
        if self.grown is not None and stage > self.grown:
            raise VidganError(f"These networks have grown to stage {self.grown:.3g} so far, not to {stage:.3g}.")

    def check_image(self, batch: int, condition: Condition) -> None:
        """VidganError where a generator that takes an image is given none, or one of another shape or range."""
        shape = (batch, 3, self.size, self.size)
        if condition.image is None:
            raise VidganError("This generator animates an image: give it one in the condition.")
        if condition.image.shape != shape:
            raise VidganError(f"The image must be {list(shape)}, not {list(condition.image.shape)}.")
        if not torch.isfinite(condition.image).all() or condition.image.abs().max() > 1:
            raise VidganError("The image's values must lie between -1 and 1.")

    def fuse(self) -> "Generator":
        """Make `generate` faster on a CPU, where the model has a faster form of the same function; returns itself.

        Clips move by float32 rounding alone (below 2e-5). For weights that stay: they are copied, and `train()` undoes
        it. `vidgan.load` calls this, so that page, command line and Python draw the same frames.
        """
        return self

    def train(self, mode: bool = True) -> "Generator":
        if mode:
            self.fused = None
        return super().train(mode)

    @torch.no_grad()
    def generate(self, latents: Latents, condition: Condition | None = None, *, batch_size: int = 1) -> Tensor:
        """clip float32 [B, 3, T, H, W] in [-1, 1] on the CPU: the one path for Python, command line and page.

        Draws `batch_size` clips at a time. With the default of 1 a clip is the same, to the bit, whatever it is
        drawn together with; larger ones are faster on a GPU and may differ in the last bits.
        Raises VidganError where latents or condition do not fit this generator.
        """
        condition = self.check(latents, condition)
        if whole("batch_size", batch_size) < 1:
            raise VidganError(f"batch_size must be at least 1, not {batch_size}.")
        was_training = self.training
        self.eval()
        draw = self.fused if self.fused and batch_size == 1 and self.device.type == "cpu" else self
        clips = []
        for start in range(0, latents.batch, batch_size):
            part = latents.slice(start, start + batch_size).to(self.device)
            rows = condition.each(lambda value, start=start: value[start : start + batch_size]).to(self.device)
            clips.append(draw(part, rows).float().clamp(-1, 1).cpu())
        self.train(was_training)
        return torch.cat(clips)


def check_length(frames: int) -> None:
    """VidganError for a number of frames that no clip can have."""
    if not 1 <= whole("frames", frames) <= MAX_FRAMES:
        raise VidganError(f"A clip has 1 to {MAX_FRAMES} frames, not {frames}.")
