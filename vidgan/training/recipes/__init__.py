"""The recipes, by architecture: modules with PRESETS (name -> TrainOptions) and ALIASES."""

from . import g3an

RECIPES = {"g3an": g3an}
