"""The tab *Resample*: some subspaces stay, the others are drawn anew."""

import gradio as gr

from .component import STAGE, component
from .resample_studio import ResampleStudio

SCRIPTS = (*STAGE, "spaces.js", "clips.js", "parts.js", "resample.js")


def resample(studio: ResampleStudio) -> gr.HTML:
    """The tab's component, answered by the studio."""
    handlers = (studio.open, studio.switch, studio.draw, studio.take, studio.cell)
    return component("resample.html", "vr", SCRIPTS, (*handlers, studio.variants, studio.shares, studio.sheet))
