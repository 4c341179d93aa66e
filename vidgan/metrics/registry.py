"""Every metric by its name: what it is of, what it needs to be told, and where it is written down.

`vidgan evaluate` and the benchmark know the metrics through this table alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

from ..data.base import ClipSource
from ..errors import VidganError, unknown
from ..models import Generator
from .classifier import ClassifierOptions
from .embedders import Features, check_kind
from .recorded import Recorded


@dataclass(frozen=True)
class Told:
    """What a measurement is told; None stands for the metric's own default."""

    clips: int | None = None  # on each side
    seed: int = 0
    features: Features | None = None
    classifier: ClassifierOptions | None = None
    classifiers: int | None = None
    repeats: int | None = None
    splits: int | None = None
    train_clips: int | None = None
    points: int | None = None
    videos: int | None = None
    starts: int | None = None
    progress: bool = False


@dataclass(frozen=True)
class Metric:
    """place: "module.function" of this package; the module's `table` shows its result. of: "clips" of any origin,
    "latents" of generators that draw from them alone, "pictures" for those that animate one; splits: which splits of
    the data it takes, in order; takes: fields of `Told` that change it, beside seed and progress."""

    name: str
    place: str
    of: str
    splits: tuple[str, ...]
    takes: tuple[str, ...]

    @property
    def module(self):
        return import_module(f".{self.place.partition('.')[0]}", __package__)

    def check(self, generator: Generator | Recorded) -> None:
        """VidganError where it is of other things."""
        if self.of == "latents" and isinstance(generator, Recorded):
            raise VidganError(f"{self.name} walks through latents: it takes a release, not a folder of videos.")
        if (self.of == "pictures") == generator.takes_image:
            return
        if generator.takes_image:
            raise VidganError(f"{self.name} is of generators that draw from latents alone; this one animates pictures.")
        raise VidganError(f"{self.name} is of releases that animate pictures; this is none.")

    def measure(self, generator: Generator | Recorded, sources: dict[str, ClipSource], told: Told) -> "Measured":
        """sources: split -> clips of the generator's form, those of `splits` among them."""
        self.check(generator)
        check_kind(told.features, classifies=self.name == "inception")
        if isinstance(generator, Recorded):
            told = replace(told, clips=min(told.clips or len(generator), len(generator)))
            if "repeats" in self.takes and (told.repeats or 1) > 1:
                raise VidganError(f"A folder holds one draw of clips: {self.name} takes --repeats 1 of it.")
            told = replace(told, repeats=1)
        names = [name for name in ("seed", "progress", *self.takes) if getattr(told, name) is not None]
        function = getattr(self.module, self.place.partition(".")[2])
        found = function(
            generator, *(sources[split] for split in self.splits), **{name: getattr(told, name) for name in names}
        )
        result = found if isinstance(found, dict) else found.result
        return Measured(result | _of_files(generator, result), found)

    def table(self, result: dict) -> list[str]:
        """The result as lines of Markdown."""
        return self.module.table(result)


@dataclass(frozen=True)
class Measured:
    """result: JSON; found: what the metric's function returned, where that is more."""

    result: dict
    found: Any


def _of_files(generator: Generator | Recorded, result: dict) -> dict:
    """What is to be said of the files, where clips come from files."""
    if not isinstance(generator, Recorded):
        return {}
    report = generator.report()
    notes = [note for note in (result.get("note"), report.pop("note", None)) if note]
    return {"recorded": report} | ({"note": " ".join(notes)} if notes else {})


class Registry:
    """Metrics by name: `METRICS["distance"]`, or VidganError with the nearest names."""

    def __init__(self, *metrics: Metric):
        self._metrics = {metric.name: metric for metric in metrics}

    def __getitem__(self, name: str) -> Metric:
        if name not in self._metrics:
            raise unknown("metric", name, self._metrics)
        return self._metrics[name]

    def __iter__(self) -> Iterator[Metric]:
        return iter(self._metrics.values())

    def taking(self, option: str) -> tuple[str, ...]:
        """Names of the metrics that a field of `Told` changes."""
        return tuple(metric.name for metric in self if option in metric.takes)


BOTH = ("train", "test")
METRICS = Registry(
    Metric("distance", "distance.scored", "clips", ("test",), ("clips", "features")),
    Metric("s3", "s3.similarity", "clips", BOTH, ("clips", "classifier", "classifiers")),
    Metric("inception", "inception.inception", "clips", BOTH, ("clips", "classifier", "repeats", "splits", "features")),
    Metric("retrieval", "retrieval.retrieve", "clips", BOTH, ("clips", "train_clips", "features")),
    Metric("acd", "acd.consistency", "clips", ("test",), ("clips",)),
    Metric("ppl", "ppl.path_lengths", "latents", (), ("points", "features")),
    Metric("animation", "animation.animation", "pictures", ("test",), ("videos", "starts", "features")),
)
