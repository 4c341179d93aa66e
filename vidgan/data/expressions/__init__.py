"""Drawn faces performing six expressions: our own, nothing to download, no terms to accept."""

from .drawing import DRAWING_VERSION, draw
from .factors import FACTORS, LABELS, Factor, identity_factors, sample_factors
from .source import Expressions, open_source

__all__ = [
    "DRAWING_VERSION",
    "FACTORS",
    "LABELS",
    "Expressions",
    "Factor",
    "draw",
    "identity_factors",
    "open_source",
    "sample_factors",
]
