"""How the page looks: one accent colour, the fonts of the visitor's system, nothing fetched from anywhere."""

import gradio as gr

SANS = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif"]
MONO = ["ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "DejaVu Sans Mono", "monospace"]


def theme() -> gr.themes.Base:
    """Gradio's plainest theme in our colours; the page's own rules are in page.css."""
    return gr.themes.Base(
        primary_hue="teal", neutral_hue="stone", font=SANS, font_mono=MONO, radius_size="md", text_size="md"
    ).set(
        body_background_fill="#faf9f7",
        body_background_fill_dark="#151413",
        block_background_fill="transparent",
        block_background_fill_dark="transparent",
        block_border_width="0px",
        block_shadow="none",
    )
