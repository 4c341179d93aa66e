"""The tab *Interpolate*: a way past keyframes, as a figure, under the hand, and as a film."""

import gradio as gr

from .component import STAGE, component
from .interpolate_studio import InterpolateStudio

SCRIPTS = (*STAGE, "spaces.js", "clips.js", "keyframes.js", "film.js", "interpolate.js")


def interpolate(studio: InterpolateStudio) -> gr.HTML:
    """The tab's component, answered by the studio."""
    handlers = (studio.open, studio.switch, studio.draw, studio.take, studio.cell)
    handlers += (studio.walk, studio.figure, studio.slice, studio.film)
    return component("interpolate.html", "vi", SCRIPTS, handlers)
