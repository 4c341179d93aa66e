"""The tab *Compare*: releases of one data set beside each other. It is there where a data set has two."""

import gradio as gr

from .compare_studio import CompareStudio
from .component import TAB, component

SCRIPTS = (*TAB, "measured.js", "claims.js", "curves.js", "blind.js", "compare.js")
#: what the component asks for with its event: the curves become a plot, whose script is fetched no sooner
PLOT = "() => window.vidgan.figure"


def compare(studio: CompareStudio) -> gr.HTML:
    """The tab's component, answered by the studio, and the plot below it."""
    handlers = (studio.begin, studio.column, studio.sheet, studio.curve, studio.pair, studio.vote)
    tab = component("compare.html", "vc", SCRIPTS, handlers)
    plot = gr.Plot(show_label=False, container=False, elem_id="vc-plot")
    tab.select(None, None, plot, js=PLOT)
    return tab
