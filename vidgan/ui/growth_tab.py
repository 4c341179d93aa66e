"""The tab *Growth*: one clip at every stage that it grew through. It is there where a release grows."""

import gradio as gr

from .component import STAGE, component
from .growth_studio import GrowthStudio

SCRIPTS = (*STAGE, "clips.js", "growth.js")


def growth(studio: GrowthStudio) -> gr.HTML:
    """The tab's component, answered by the studio."""
    handlers = (studio.open, studio.switch, studio.draw, studio.take, studio.cell)
    handlers += (studio.sizes, studio.walk, studio.figure)
    return component("growth.html", "vw", SCRIPTS, handlers)
