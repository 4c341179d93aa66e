"""The recipes, by architecture: modules with PRESETS (name -> TrainOptions) and ALIASES."""

from . import g3an, imaginator, mocogan, mvtgan, progressive, tgan, vgan

RECIPES = {
    "g3an": g3an,
    "imaginator": imaginator,
    "mvtgan": mvtgan,
    "progressive": progressive,
    "vgan": vgan,
    "tgan": tgan,
    "mocogan": mocogan,
}
