"""The recipes, by architecture: modules with PRESETS (name -> TrainOptions) and ALIASES."""

from . import g3an, imaginator, mvtgan, progressive

RECIPES = {"g3an": g3an, "imaginator": imaginator, "mvtgan": mvtgan, "progressive": progressive}
