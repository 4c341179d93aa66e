"""How a tab of our own becomes a gradio component.

A gradio slider would rebuild its video for each step of a drag; a canvas of our own, fed by server functions that have
no queue, follows the hand. The scripts are plain files, joined into the one function that gradio calls on load.
"""

from collections.abc import Callable, Sequence
from importlib import resources

import gradio as gr

TAB = ("elements.js", "player.js", "store.js", "share.js", "tab.js")  #: what every tab's scripts begin with
STAGE = (*TAB, "stage.js")  #: and those of a tab with a player


def text(name: str) -> str:
    """A file of this package."""
    return resources.files(__package__).joinpath(name).read_text("utf-8")


def masthead(tabs: Sequence[str] = ()) -> gr.HTML:
    """Title, release, facts, and what takes the clip away: above all tabs; tabs: which there are of those that are not
    always there."""
    return gr.HTML(
        html_template=text("masthead.html").replace("TABS", " ".join(tabs)), js_on_load=None, apply_default_css=False
    )


def component(markup: str, prefix: str, scripts: Sequence[str], handlers: Sequence[Callable[[dict], dict]]) -> gr.HTML:
    """Markup that our scripts bring to life, answered by `handlers`; the ids of its player begin with `prefix`."""
    return gr.HTML(
        html_template=text(markup).replace("<!--stage-->\n", text("stage.html").replace("ID-", f"{prefix}-")),
        js_on_load="\n".join(text(name) for name in scripts),
        server_functions=[_plain(handler) for handler in handlers],
        apply_default_css=False,
    )


def _plain(handler):
    """A bound method as a function that gradio may mark as callable from the page."""

    def call(request: dict) -> dict:
        return handler(request)

    call.__name__ = handler.__name__
    return call
