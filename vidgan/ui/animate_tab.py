"""The tab *Image to video*: a picture, a label, and how it moves."""

import gradio as gr

from .animation_studio import AnimationStudio
from .component import STAGE, component

SCRIPTS = (*STAGE, "labels.js", "crop.js", "sources.js", "designer.js", "motion.js", "clips.js", "gallery.js")
SCRIPTS += ("animate.js",)


def animate(studio: AnimationStudio) -> gr.HTML:
    """The tab's component, answered by the studio."""
    handlers = (studio.open, studio.switch, studio.draw, studio.take)
    handlers += (studio.read, studio.see, studio.face, studio.frame, studio.note, studio.cell)
    return component("animate.html", "va", SCRIPTS, handlers)
