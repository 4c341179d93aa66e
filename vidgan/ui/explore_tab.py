"""The tab *Explore*: player, handles and matrix."""

import gradio as gr

from .component import STAGE, component
from .studio import Studio

SCRIPTS = (*STAGE, "spaces.js", "labels.js", "clips.js", "controls.js", "matrix.js", "tour.js", "explore.js")


def explore(studio: Studio) -> gr.HTML:
    """The tab's component, answered by the studio."""
    handlers = (studio.open, studio.switch, studio.draw, studio.take, studio.cell)
    return component("explore.html", "vg", SCRIPTS, (*handlers, studio.find_directions, studio.row, studio.ends))
