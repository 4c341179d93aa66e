"""The whole page as gradio Blocks, and how it is launched."""

import os
from urllib.parse import urlencode

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

import gradio as gr
from gradio.processing_utils import save_bytes_to_cache
from starlette.middleware import Middleware

from .. import video
from ..errors import VidganError
from ..explore.parse import parse_seed
from .animate_tab import animate
from .animation_studio import AnimationStudio
from .compare_studio import CompareStudio
from .compare_tab import compare
from .component import masthead, text
from .explore_tab import explore
from .growth_studio import GrowthStudio
from .growth_tab import growth
from .handlers import Handlers
from .interpolate_studio import InterpolateStudio
from .interpolate_tab import interpolate
from .limits import BodyLimit
from .releases import comparable, export, growing
from .resample_studio import ResampleStudio
from .resample_tab import resample
from .studio import Studio
from .theme import theme

QUEUE = 32  #: requests that may wait for `/generate`
MAX_FILE = "20mb"
#: what Explore asks for where a link is for another tab: also where its button is hidden in a narrow window
TURN = "() => ({ __type__: 'update', selected: window.vidgan.turning })"
STYLES = ("page.css", "animate.css", "resample.css", "interpolate.css", "compare.css")
CACHE = (600, 3600)  #: seconds: how often we clean up, and how long a file that we made is kept


def build(studio: Studio | None = None, animation: AnimationStudio | None = None) -> gr.Blocks:
    """The page. It has no state of its own: any number of visitors, and restarts, come at no cost."""
    studio = studio or Studio()
    animation = animation or AnimationStudio(studio.releases, studio)
    with gr.Blocks(title="vidgan", analytics_enabled=False, delete_cache=CACHE, fill_width=True) as page:
        grow, several = bool(growing()), bool(comparable())
        masthead([name for name, there in (("growth", grow), ("compare", several)) if there])
        with gr.Tabs(elem_id="vg-tabs") as tabs:
            with gr.Tab("Explore", id="explore", elem_id="vg-tab-explore", render_children=True):
                first = explore(studio)
            with gr.Tab("Image to video", id="animate", elem_id="vg-tab-animate", render_children=True):
                animate(animation)
            with gr.Tab("Interpolate", id="interpolate", elem_id="vg-tab-interpolate", render_children=True):
                interpolate(InterpolateStudio(studio.releases))
            with gr.Tab("Resample", id="resample", elem_id="vg-tab-resample", render_children=True):
                resample(ResampleStudio(studio.releases))
            with gr.Tab("Growth", id="growth", elem_id="vg-tab-growth", visible=grow, render_children=True):
                growth(GrowthStudio(studio.releases))
            with gr.Tab("Compare", id="compare", elem_id="vg-tab-compare", visible=several, render_children=True):
                compare(CompareStudio(studio.releases))
            with gr.Tab("About", id="about"):
                gr.Markdown(text("about.md"), elem_id="vg-about")
        first.select(None, None, tabs, js=TURN)
        _api(studio, animation)
    return page.queue(max_size=QUEUE, default_concurrency_limit=1)


def _api(studio: Studio, animation: AnimationStudio) -> None:
    """`/generate`: a clip as a file, for programs."""
    with gr.Row(visible=False):
        release = gr.Textbox("", label="release")
        appearance = gr.Textbox("0", label="appearance_seed")
        motion = gr.Textbox("0", label="motion_seed")
        label = gr.Textbox("", label="label")
        frames = gr.Textbox("0", label="frames")
        link = gr.Textbox("", label="link")
        kind = gr.Textbox("mp4", label="format")
        file, found = gr.File(label="clip"), gr.Textbox(label="link")
        button = gr.Button("generate")

    def generate(
        release: str, appearance_seed: str, motion_seed: str, label: str, frames: str, link: str, format: str
    ) -> tuple[str, str]:
        try:
            chosen = animation if studio.elsewhere(link or urlencode({"release": release})) else studio
            return _generate(chosen, file, release, appearance_seed, motion_seed, label, frames, link, format)
        except VidganError as error:
            raise gr.Error(str(error), print_exception=False) from error

    button.click(
        generate,
        [release, appearance, motion, label, frames, link, kind],
        [file, found],
        api_name="generate",
        api_description="Make a clip. release: a name, '' for the first; label: a class or 'happiness=0.7,fear=0.3', "
        "'' for the even blend; frames: 0 for the native length; link: the part of a page's link after '?' (and, after "
        "'&', what stands behind its '#'), used instead of all this; format: mp4, webp, gif, png or npz. Returns the "
        "file and its link.",
        concurrency_id="model",
        concurrency_limit=1,
    )


def _generate(studio: Handlers, keeper, release, appearance, motion, label, frames, link, kind) -> tuple[str, str]:
    if kind not in video.FORMATS:
        raise VidganError(f"There is no format {str(kind)[:20]!r}; there are {', '.join(video.FORMATS)}.")
    if not link:
        asked = {"release": release, "label": label, "frames": "" if frames == "0" else frames}
        seeds = {"seed.appearance": parse_seed(appearance), "seed.motion": parse_seed(motion)}
        if studio.takes_image:
            seeds = {"seed.noise": seeds["seed.motion"]}
        link = urlencode({**seeds, **{key: value for key, value in asked.items() if value}})
    chosen, bookmark = studio.bookmark(link)
    name, data = export(chosen, bookmark, kind)
    path = save_bytes_to_cache(data, name, cache_dir=keeper.GRADIO_CACHE)
    keeper.temp_files.add(path)  # cleaned up with all that gradio keeps
    return path, bookmark.to_query(chosen.generator)


def launch(page: gr.Blocks | None = None, **options) -> None:
    """Serve the page: on this machine alone, or, in a Space, to everyone.

    options go to gradio's `launch`, `server_port` among them.
    """
    settings = {
        "server_name": os.environ.get("GRADIO_SERVER_NAME")
        or ("0.0.0.0" if os.environ.get("SPACE_ID") else "127.0.0.1"),
        "theme": theme(),
        "css": "".join(map(text, STYLES)),
        "show_error": False,
        "strict_cors": True,
        "ssr_mode": False,
        "max_file_size": MAX_FILE,
        "state_session_capacity": 200,
        "footer_links": ["api"],
        "app_kwargs": {"middleware": [Middleware(BodyLimit)]},
        "share": False,
    }
    if page is None:
        studio = Studio()
        animation = AnimationStudio(studio.releases, studio)
        for tab in (studio, animation):
            tab.prepare()
        page = build(studio, animation)
    page.launch(**{**settings, **options})
