"""What stands in a link, a command or a request, read and checked: each value as it is used, or VidganError."""

from collections.abc import Sequence

import torch

from .. import pictures
from ..conditions import Condition
from ..errors import VidganError, unknown
from ..latents import MAX_SEED
from ..models.base import MAX_FRAMES, Generator
from ..models.imaginator import LEVELS
from .animate import MAX_PARTS

MAX_LABEL = 4_000  #: characters of a label: a blend of a hundred classes
MAX_TRUNCATION = 2.0
MAX_FUSION = 1.0  #: strength of an appearance skip


def parse_seed(value: object) -> int:
    """A seed from text or a number; VidganError for anything but a whole number of at most 64 bits."""
    text = str(value).strip()
    if not (text.isascii() and text.isdigit()) or len(text) > 40 or int(text) > MAX_SEED:
        shown = text if len(text) <= 44 else text[:40] + "..."
        raise VidganError(f"A seed is a whole number from 0 to 2^64 - 1 (20 digits at most), not {shown or 'nothing'}.")
    return int(text)


def parse_label(text: str, generator: Generator) -> str:
    """A label as `Condition.parse` reads it, itself; empty for the even blend. VidganError where it means nothing."""
    if text and not generator.config.classes:
        raise VidganError(f"This release has no labels, so {text[:60]!r} cannot be asked for.")
    if len(text) > MAX_LABEL:
        raise VidganError(f"A label has at most {MAX_LABEL} characters, not {len(text)}.")
    if text:
        Condition.parse(text, generator.labels)
    return text


def parse_weights(text: str, generator: Generator) -> torch.Tensor:
    """Weights [1, classes] of a label as it stands in a bookmark: of nothing, the even blend."""
    if text:
        return Condition.parse(text, generator.labels).label
    classes = generator.config.classes
    return torch.full((1, classes), 1.0 / max(1, classes))


def parse_image(text: str, generator: Generator) -> str:
    """A packed picture of the generator's size, itself; VidganError for any other, and where it takes none."""
    if text and not generator.takes_image:
        raise VidganError("This release draws people itself, so it takes no picture.")
    if text and len(pictures.unpack(text)) != generator.size:
        raise VidganError(f"The picture in a link of this release has {generator.size} pixels a side.")
    return text


def parse_fusion(values: Sequence[float], generator: Generator) -> tuple[float, ...]:
    """The strength of each appearance skip, to three digits; empty where all are 1."""
    values = tuple(values)
    if not values:
        return ()
    if not generator.takes_image or not getattr(generator.config, "fusion", False):
        raise VidganError("This release has no appearance skips, so their strength cannot be set.")
    if len(values) != LEVELS or not all(0 <= value <= MAX_FUSION for value in values):
        raise VidganError(f"The strength of the appearance skips is {LEVELS} numbers from 0 to {MAX_FUSION:g}.")
    values = tuple(round(float(value), 3) for value in values)
    return () if all(value == 1 for value in values) else values


def parse_then(labels: Sequence[str], generator: Generator) -> tuple[str, ...]:
    """Labels of further parts."""
    if labels and not generator.takes_image:
        raise VidganError("This release makes single clips, which nothing can follow.")
    if len(labels) >= MAX_PARTS:
        raise VidganError(f"A picture is animated in 1 to {MAX_PARTS} parts, not {1 + len(labels)}.")
    return tuple(parse_label(text, generator) for text in labels)


def parse_frames(value: object, generator: Generator) -> int:
    """A clip length that the page can show; VidganError naming those that there are."""
    text = str(value).strip()
    if generator.any_length and text.isascii() and text.isdigit() and len(text) < 9 and 1 <= int(text) <= MAX_FRAMES:
        return int(text)
    if text not in {str(option) for option in generator.frame_options}:
        options = f"1 to {MAX_FRAMES}" if generator.any_length else ", ".join(map(str, generator.frame_options))
        raise VidganError(f"A clip cannot have {text[:20] or 'no'} frames here; it can have {options}.")
    return int(text)


def parse_stage(value: object, generator: Generator) -> float | None:
    """A stage of growth, to three digits; None for the last one. VidganError where clips do not grow, or not so far."""
    if value in (None, ""):
        return None
    try:
        stage = round(float(value), 3)
    except (TypeError, ValueError, OverflowError) as error:
        generator.check_stage(0)
        raise VidganError(f"The stages go from 0 to {generator.last_stage}, not {str(value)[:20]!r}.") from error
    generator.check_stage(stage)
    return None if stage == generator.last_stage else stage


def parse_view(value: object, generator: Generator) -> str | None:
    """A part of its clips that the generator can show alone; None for the whole. VidganError for any other."""
    if value in (None, ""):
        return None
    if not generator.views or generator.takes_image:
        raise VidganError("This release shows its clips in one piece: they have no parts to see alone.")
    if value not in generator.views:
        raise unknown("part of this release's clips", str(value)[:60], generator.views)
    return value


def parse_truncation(text: str) -> float:
    """A factor of truncation; VidganError for no number, and for one out of range."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0 <= value <= MAX_TRUNCATION:
        raise VidganError(f"A truncation goes from 0 to {MAX_TRUNCATION:g}, not {text[:20]!r}.")
    return value


def parse_numbers(text: str) -> tuple[float, ...]:
    """Numbers with commas between; what is none is NaN, and so refused as out of range."""
    values = []
    for part in text.split(",")[: LEVELS + 1] if text else ():
        try:
            values.append(float(part))
        except ValueError:
            values.append(float("nan"))
    return tuple(values)
