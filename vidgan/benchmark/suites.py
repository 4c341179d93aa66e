"""What the papers compare: each suite is one of their tables, its rows trained by the same budget at the same size.

A row is a preset of a recipe with a few options changed. Rows of a suite see the same number of training clips, and
their generators have about as many parameters (the narrow scale: 1.6 to 2.3 million; the paper's scale: as published).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from ..errors import VidganError, unknown
from ..training.growth import Growth
from ..training.options import TrainOptions, preset
from ..training.recipes import RECIPES

SCALES = ("narrow", "paper")


@dataclass(frozen=True)
class Row:
    """One system of a table. preset: of its recipe, narrow_preset at the narrow scale where that is another; changes:
    options of the model, by name; narrow: more of them for the narrow scale; recipe: options of the recipe."""

    name: str
    architecture: str
    preset: str
    changes: tuple[tuple[str, Any], ...] = ()
    narrow: tuple[tuple[str, Any], ...] = ()
    recipe: tuple[tuple[str, Any], ...] = ()
    conditional: bool = True
    narrow_preset: str = ""

    def options(self, scale: str) -> TrainOptions:
        """The training of this row, but for its data, seed, budget and folder."""
        thin = scale == "narrow"
        options = preset(self.architecture, self.narrow_preset if thin and self.narrow_preset else self.preset, RECIPES)
        model = dict(self.changes) | (dict(self.narrow) if thin else {})
        return replace(
            options,
            model=replace(options.model, **model),
            recipe=replace(options.recipe, **dict(self.recipe)),
            conditional=self.conditional,
        )


@dataclass(frozen=True)
class Suite:
    """One table. claim, order: its rows by `metric`, best first, as the paper has it (rows of one group are not ordered
    among each other); ties: rows of which the paper says only that they are no better than the one before; lower:
    whether less is better; metrics: what is measured, by names of the registry."""

    name: str
    source: str
    claim: str
    rows: tuple[Row, ...]
    order: tuple[tuple[str, ...], ...]
    metric: str
    metrics: tuple[str, ...]
    lower: bool = True
    ties: tuple[str, ...] = ()

    def __post_init__(self):
        named = [name for group in self.order for name in group]
        if sorted(named) != sorted(row.name for row in self.rows):
            raise VidganError(f"The claim of {self.name} is not about its rows: {named}.")

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Rows of neighbouring groups, the one that is to be better first."""
        for better, worse in zip(self.order, self.order[1:], strict=False):
            yield from ((one, other) for one in better for other in worse)


G3AN = {"architecture": "g3an", "preset": "projection-ema", "conditional": False}
THIN = (("width", 16), ("attention_after", 2))
MOVES = {"architecture": "imaginator", "preset": "mixed-ema", "changes": (("frames", 16),), "narrow": (("width", 8),)}
MVT = {
    "architecture": "mvtgan",
    "preset": "tsa-ema",
    "narrow_preset": "cpu-tsa-ema",
}
UNCHANGED = (("deviation_a", 1.0), ("deviation_c", 1.0), ("shifted_blocks", 0))
LATENT, LABELLED, PICTURES = (
    ("distance", "retrieval", "acd", "ppl"),
    ("distance", "s3", "inception", "retrieval"),
    ("animation",),
)


def _g3an(name: str, **changes) -> Row:
    narrow = THIN if "attention_after" not in changes else THIN[:1]
    return Row(name, **G3AN, changes=tuple(changes.items()), narrow=narrow)


def _moves(name: str, recipe: tuple = (), **changes) -> Row:
    return Row(name, **MOVES | {"changes": (*MOVES["changes"], *changes.items())}, recipe=recipe)


def _grown(name: str, loss: str) -> Row:
    told = {"changes": (("size", 64),), "narrow": (("width", 80),), "narrow_preset": f"cpu-{loss}"}
    return Row(name, "progressive", loss, **told, conditional=False)


SUITES = {
    suite.name: suite
    for suite in (
        Suite(
            "baselines",
            "G3AN, Table 1",
            "G3AN < MoCoGAN < TGAN < VGAN in FID",
            (
                _g3an("G3AN"),
                Row("MoCoGAN", "mocogan", "paper-ema", narrow=(("width", 44),), conditional=False),
                Row("TGAN", "tgan", "fast-ema", narrow=(("width", 36),), conditional=False),
                Row("VGAN", "vgan", "16-frames-ema", narrow=(("width", 20),), conditional=False),
            ),
            (("G3AN",), ("MoCoGAN",), ("TGAN",), ("VGAN",)),
            "fvd_",
            LATENT,
        ),
        Suite(
            "streams",
            "G3AN, Table 3",
            "each part that is taken out of G3AN makes FID worse",
            (
                _g3an("G3AN"),
                _g3an("without G_S", spatial_stream=False),
                _g3an("without G_T", temporal_stream=False),
                _g3an("without F-SA", attention_after=None),
            ),
            (("G3AN",), ("without G_S", "without G_T", "without F-SA")),
            "fvd_",
            ("distance",),
        ),
        Suite(
            "convolutions",
            "G3AN, Table 4",
            "(1+2)D <= (2+1)D < 3D in FID",
            (_g3an("(1+2)D"), _g3an("(2+1)D", convolution="2p1d"), _g3an("3D", convolution="3d")),
            (("(1+2)D",), ("(2+1)D",), ("3D",)),
            "fvd_",
            ("distance",),
            ties=("(2+1)D",),
        ),
        Suite(
            "attention",
            "G3AN, Table 5",
            "F-SA is best after G3_3",
            tuple(_g3an(f"after G3_{level}", attention_after=level) for level in range(5)),
            (("after G3_3",), ("after G3_0", "after G3_1", "after G3_2", "after G3_4")),
            "fvd_",
            ("distance",),
        ),
        Suite(
            "image-to-video",
            "ImaGINator, Tables 1 and 3",
            "ImaGINator > MoCoGAN > VGAN in SSIM",
            (
                _moves("ImaGINator"),
                Row("MoCoGAN", "mocogan", "image-ema", narrow=(("width", 32),)),
                Row("VGAN", "vgan", "image-16-frames-ema", narrow=(("width", 11),), conditional=False),
            ),
            (("ImaGINator",), ("MoCoGAN",), ("VGAN",)),
            "ssim_",
            PICTURES,
            lower=False,
        ),
        Suite(
            "fusion",
            "ImaGINator, Tables 4 to 6",
            "each part that is taken out of ImaGINator makes SSIM worse",
            (
                _moves("ImaGINator"),
                _moves("without fusion", fusion=False),
                _moves("without D_I", image_discriminator=False),
                _moves("3D", convolution="3d"),
                _moves("without wrong labels", recipe=(("wrong_labels", False),)),
                _moves("D_V tells the class", label_in_video="classifier"),
            ),
            (("ImaGINator",), ("without fusion", "without D_I", "3D", "without wrong labels", "D_V tells the class")),
            "ssim_",
            PICTURES,
            lower=False,
        ),
        Suite(
            "variants",
            "MVT-GAN, Table 2",
            "TSA > VAR > MC > MVT in S3",
            (
                Row("TSA", **MVT),
                Row("VAR", **MVT, changes=UNCHANGED[2:]),
                Row("MC", **MVT, changes=UNCHANGED, recipe=(("motion", 1.0),)),
                Row("MVT", **MVT, changes=UNCHANGED),
            ),
            (("TSA",), ("VAR",), ("MC",), ("MVT",)),
            "s3_",
            LABELLED,
            lower=False,
        ),
        Suite(
            "sliced",
            "Progressive Video GAN, Table 8.1",
            "the sliced Wasserstein loss is no worse than WGAN-GP in FID",
            (
                _grown("SWGAN", "swgan"),
                _grown("WGAN-GP", "wgan-gp"),
            ),
            (("SWGAN",), ("WGAN-GP",)),
            "fvd_",
            ("distance",),
            ties=("WGAN-GP",),
        ),
    )
}


def find_suites(names: str) -> list[Suite]:
    """The suites that a comma-separated list names; "all" are all of them. VidganError with the nearest names."""
    if names == "all":
        return [*SUITES.values()]
    for name in names.split(","):
        if name not in SUITES:
            raise unknown("suite", name, ("all", *SUITES))
    return [SUITES[name] for name in dict.fromkeys(names.split(","))]


def budgeted(options: TrainOptions, clips: int) -> TrainOptions:
    """As many steps as show `clips` training clips. Networks that grow spend as many on each level and each way to one.

    VidganError for a budget that is not one step.
    """
    if clips < options.batch:
        raise VidganError(f"The budget of {clips} clips is less than one batch of {options.batch}.")
    if not options.grows:
        return replace(options, steps=clips // options.batch)
    part = max(1, clips // (2 * len(options.sizes) - 1))
    growth = Growth(stable=part, fade=part, batches=options.recipe.growth.batches)
    return replace(
        options, recipe=replace(options.recipe, growth=growth), steps=growth.steps(options.sizes, options.batch)
    )
