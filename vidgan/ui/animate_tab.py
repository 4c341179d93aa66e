"""The tab *Image to video*: a picture, a label, and how it moves."""

import gradio as gr

from .animation_studio import AnimationStudio
from .component import component

SCRIPTS = ("elements.js", "player.js", "store.js", "share.js", "stage.js", "labels.js", "crop.js", "sources.js")
SCRIPTS += ("designer.js", "motion.js", "gallery.js", "animate.js")


def animate(studio: AnimationStudio) -> gr.HTML:
    """The tab's component, answered by the studio."""
    handlers = (studio.open, studio.switch, studio.draw, studio.take)
    handlers += (studio.read, studio.see, studio.face, studio.frame, studio.note, studio.cell)
    return component("animate.html", "va", SCRIPTS, handlers)
