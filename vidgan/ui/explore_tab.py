"""The tab *Explore*, and the header above all tabs: one component of our own, answered by the studio.

A gradio slider would rebuild its video for each step of a drag; a canvas of our own, fed by server functions that have
no queue, follows the hand. The scripts are plain files, joined into the one function that gradio calls on load.
"""

from importlib import resources

import gradio as gr

from .studio import Studio

SCRIPTS = ("player.js", "store.js", "controls.js", "matrix.js", "share.js", "page.js")


def text(name: str) -> str:
    """A file of this package."""
    return resources.files(__package__).joinpath(name).read_text("utf-8")


def masthead() -> gr.HTML:
    """Title, release, facts, and what takes the clip away."""
    return gr.HTML(html_template=text("masthead.html"), js_on_load=None, apply_default_css=False)


def explore(studio: Studio) -> gr.HTML:
    """Player, handles and matrix."""
    handlers = (studio.open, studio.switch, studio.draw, studio.find, studio.row, studio.ends, studio.take)
    return gr.HTML(
        html_template=text("explore.html"),
        js_on_load="\n".join(text(name) for name in SCRIPTS),
        server_functions=[_plain(handler) for handler in handlers],
        apply_default_css=False,
    )


def _plain(handler):
    """A bound method as a function that gradio may mark as callable from the page."""

    def call(request: dict) -> dict:
        return handler(request)

    call.__name__ = handler.__name__
    return call
