"""The `vidgan` command: sample, draw grids, animate pictures, look at data, publish, and check the installation.

A mistake in what was asked for is one sentence on stderr and exit status 2, Ctrl-C is 130. Heavy imports happen inside
the commands, so that `--help` answers at once.
"""

import argparse
import difflib
import os
import sys
from collections.abc import Callable, Sequence

from . import arguments as read
from .commands import animate, benchmark, data, draw, evaluate, releases, walk
from .errors import VidganError, unknown


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line (default: the process's own) and give its exit status."""
    try:
        try:
            arguments = list(sys.argv[1:] if arguments is None else arguments)
            options = parse(arguments)
            status = options.run(options) or 0
            sys.stdout.flush()
            return status
        except KeyboardInterrupt:
            return 130
        except VidganError as error:
            print(f"vidgan: {error}", file=sys.stderr)
            return 2
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


# ------------------------------------------------------------------------------------------------ the parser


class Parser(argparse.ArgumentParser):
    """argparse, but its complaints are ours: one sentence, with the nearest names."""

    def __init__(self, **options):
        super().__init__(allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter, **options)

    def error(self, message: str):
        message = message[:1].upper() + message[1:].removesuffix(".")
        raise VidganError(f"{message}; see `{self.prog} --help`.")

    def _get_value(self, action, text):
        return action.type(text) if action.type else text  # our types speak for themselves

    def _check_value(self, action, value):
        if action.choices is not None and value not in action.choices:
            raise unknown("command" if action.dest.endswith("command") else action.dest, value, action.choices)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The options of a command line, `run` among them; VidganError names whatever is wrong."""
    options, rest = parser().parse_known_args(arguments)
    if rest:
        known = options.parser._option_string_actions
        near = difflib.get_close_matches(rest[0].partition("=")[0], known, n=2, cutoff=0.6)
        hint = f"did you mean {' or '.join(near)}?" if near else f"see `{options.parser.prog} --help`."
        kind = "option" if rest[0].startswith("-") else "argument"
        raise VidganError(f"{options.parser.prog} takes no {kind} {rest[0]!r}; {hint}")
    return options


def parser() -> Parser:
    """The whole command line."""
    top = Parser(prog="vidgan", description="Make and explore videos with GANs.", epilog=EXAMPLES)
    top.add_argument("--version", action="version", version=_version())
    commands = top.add_subparsers(title="commands", metavar="COMMAND", dest="command", required=True)

    models = _command(commands, "models", releases.models, "list architectures and releases")
    models.add_argument("--json", action="store_true", help="as JSON, with parameters and latent spaces")

    sample = _command(commands, "sample", draw.sample, "draw videos", SAMPLE)
    _generator_options(sample)
    sample.add_argument("-n", type=read.whole("-n", 1, 100_000), metavar="N", help="how many videos (default: 1)")
    sample.add_argument("--out", default=".", metavar="DIR", help="folder for the files (default: here)")
    sample.add_argument("--format", type=read.format, default="mp4", help="mp4, webp, gif, png (strip) or npz")
    sample.add_argument("--appearance-seed", type=read.seed, metavar="S", help="another seed for who is in it")
    sample.add_argument("--motion-seed", type=read.seed, metavar="S", help="another seed for how it moves")
    sample.add_argument("--seeds", type=read.seeds, metavar="SUBSPACE=S,...", help="a seed for each subspace named")
    sample.add_argument(
        "--stage",
        metavar="S",
        help="how far clips have grown, where they do: 2.4, or all, in a row (default: the last)",
    )
    sample.add_argument("--view", metavar="NAME", help="one part of the clips alone, as VGAN's mask (default: all)")
    sample.add_argument("--latents", metavar="POINT", help="these points: packed text, or a .json or .npz file")
    sample.add_argument("--json", action="store_true", help="print as JSON what was made, and of what")

    grid = _command(commands, "grid", draw.grid, "draw one sheet: appearances down, motions across")
    _generator_options(grid)
    grid.add_argument("--appearances", type=read.whole("--appearances", 1, 64), default=4, metavar="N", help="rows (4)")
    grid.add_argument("--motions", type=read.whole("--motions", 1, 64), default=6, metavar="M", help="columns (6)")
    grid.add_argument("--stage", metavar="S", help="how far clips have grown, where they do (default: the last)")
    grid.add_argument("--out", required=True, metavar="FILE", help="its suffix is the format: mp4, webp or gif")

    redrawn = _command(commands, "resample", walk.resample, "draw some subspaces anew, keep the others", RESAMPLE)
    _generator_options(redrawn)
    redrawn.add_argument("--latents", metavar="POINT", help="the original: a link, packed text, a .json or .npz file")
    which = redrawn.add_mutually_exclusive_group(required=True)
    which.add_argument("--redraw", type=read.names, metavar="NAME,NAME", help="the subspaces that are drawn anew")
    which.add_argument("--keep", type=read.names, metavar="NAME,NAME", help="the subspaces that are not")
    redrawn.add_argument("-n", type=read.whole("-n", 1, 64), default=6, metavar="N", help="how many variants (6)")
    redrawn.add_argument("--new-seed", type=read.seed, metavar="S", help="of the first variant (default: --seed + 1)")
    redrawn.add_argument("--stage", metavar="S", help="how far clips have grown, where they do (default: the last)")
    redrawn.add_argument("--shares", action="store_true", help="measure how much each subspace changes, and of what")
    redrawn.add_argument("--out", required=True, metavar="FILE", help="mp4, webp, gif, or png: still, time going down")
    redrawn.add_argument("--json", action="store_true", help="the points as links, and what was measured, as JSON")

    path = _command(commands, "interpolate", walk.interpolate, "walk between points, or between labels", INTERPOLATE)
    path.add_argument("name", metavar="NAME", help="a release, a run folder, a path, or owner/name on the Hub")
    path.add_argument("--from", dest="start", metavar="SEED|POINT", help="the first keyframe")
    path.add_argument("--via", action="append", default=[], metavar="SEED|POINT", help="one between, as often as given")
    path.add_argument("--to", dest="end", metavar="SEED|POINT", help="the last keyframe (default: the first)")
    path.add_argument("--label", metavar="LABEL", help="of all keyframes: a class, or a blend (default: even)")
    path.add_argument("--from-label", metavar="LABEL", help="of the first keyframe")
    path.add_argument("--to-label", metavar="LABEL", help="of the last one")
    path.add_argument("--what", metavar="WHAT", help="what moves: all (default), latents, label, appearance or motion")
    path.add_argument("--method", type=read.methods, metavar="M", help="slerp (default), lerp, or z_a=lerp,z_b=slerp")
    path.add_argument("--easing", metavar="EASING", help="how time passes: smooth (default), linear or rest")
    path.add_argument("--loop", action="store_true", help="come back to the first keyframe: a seamless video")
    path.add_argument("--walk", metavar="TEXT", help="a whole walk, as the page and --json write it, instead of these")
    path.add_argument(
        "--columns", type=read.whole("--columns", 2, 64), metavar="N", help="N clips as one sheet instead"
    )
    path.add_argument("--length", type=read.seconds, metavar="SECONDS", help="of the video (2 for each stretch)")
    _drawing_options(path)
    path.add_argument("--out", required=True, metavar="FILE", help="mp4, webp, gif, png or npz; a png sheet is still")
    path.add_argument("--json", action="store_true", help="the walk and its keyframes as links, as JSON")

    moved = _command(commands, "animate", animate.animate, "set a picture in motion", ANIMATE)
    moved.add_argument("name", metavar="NAME", help="a release that animates pictures, a run, a path, or owner/name")
    moved.add_argument("image", metavar="IMAGE", help="a PNG, JPEG or WebP file, or picture:TEXT from a link")
    moved.add_argument("--seed", type=read.seed, default=0, metavar="S", help="of the noise (default: 0)")
    moved.add_argument("--label", metavar="LABEL", help="a class, or a blend: happiness=0.7,fear=0.3 (default: even)")
    moved.add_argument("--then", action="append", default=[], metavar="LABEL", help="go on from the last frame with it")
    moved.add_argument("--fusion", type=read.fusion, metavar="W,W,W,W", help="strength of each appearance skip")
    moved.add_argument("--crop", type=read.box, metavar="X,Y,SIDE", help="square in pixels (default: centred)")
    moved.add_argument(
        "--variations",
        type=read.whole("--variations", 1, 64),
        default=1,
        metavar="N",
        help="one for each seed S, S + 1, ...",
    )
    moved.add_argument("--all-labels", action="store_true", help="one video for each label instead, side by side")
    moved.add_argument(
        "--out", required=True, metavar="FILE", help="its suffix is the format: mp4, webp, gif, png, npz"
    )
    moved.add_argument("--device", default="cpu", help="cpu (default: the same frames everywhere) or cuda")

    told = "measure a release, or anyone's videos, on held-out clips"
    measured = _command(commands, "evaluate", evaluate.evaluate, told, EVALUATE)
    measured.add_argument("name", metavar="NAME", help="a release, a run, a path, owner/name, or a folder of videos")
    measured.add_argument("--data", metavar="DATA", help="a data set (default: what the release was trained on)")
    measured.add_argument("--root", metavar="DIR", help="where its files are")
    measured.add_argument("--split", default="test", help="test (default: what training never saw) or train")
    measured.add_argument(
        "--set", action="append", default=[], metavar="OPTION=VALUE", help="an option of the data set"
    )
    measured.add_argument(
        *("--metric", "--metrics"), metavar="METRIC", help="distance, s3, inception, retrieval, acd, ppl, or several"
    )
    measured.add_argument("--real", metavar="DIR", help="real videos, for a folder of videos of the same names")
    measured.add_argument("--features", metavar="NAME", help="vidgan (default), r3d, i3d, resnext101; c3d")
    measured.add_argument("--features-file", metavar="FILE", help="of the network that gives the features")
    measured.add_argument("--clips", type=read.whole("--clips", 2, 1_000_000), metavar="N", help="on each side (512)")
    measured.add_argument(
        "--videos", type=read.whole("--videos", 1, 100_000), metavar="N", help="to take pictures from (50)"
    )
    measured.add_argument("--starts", type=read.whole("--starts", 1, 1000), metavar="N", help="pictures of each (10)")
    measured.add_argument("--classifier", metavar="NAME", help="small-resnet (default), r3d_18, mc3_18 or r2plus1d_18")
    measured.add_argument(
        "--classifiers", type=read.whole("--classifiers", 1, 100), metavar="N", help="seeds of classifiers for s3 (1)"
    )
    measured.add_argument(
        "--repeats", type=read.whole("--repeats", 1, 100), metavar="N", help="draws for inception (3)"
    )
    measured.add_argument(
        "--splits", type=read.whole("--splits", 1, 1000), metavar="N", help="parts of each that inception scores (1)"
    )
    measured.add_argument(
        "--train-clips", type=read.whole("--train-clips", 3, 10_000_000), metavar="N", help="to retrieve from (2048)"
    )
    measured.add_argument("--points", type=read.whole("--points", 2, 100_000), metavar="N", help="paths for ppl (128)")
    measured.add_argument("--sheet", metavar="FILE", help="generated clips beside those retrieved: mp4, webp or gif")
    measured.add_argument("--seed", type=read.seed, default=0, metavar="S", help="of real draws and latents (0)")
    measured.add_argument("--device", default="cpu", help="cpu or cuda")
    measured.add_argument("--json", action="store_true", help="everything that repeats the measurement, as JSON")
    measured.add_argument("--keep", action="store_true", help="in the release's metrics.json, for the tab Compare")
    measured.add_argument("--jsonl", metavar="FILE", help="add the same to a file, a line for each metric")

    compared = _command(commands, "benchmark", benchmark.benchmark, "train and measure the papers' tables", BENCHMARK)
    compared.add_argument("--suite", default="baselines", metavar="SUITE", help="one, several, or all (baselines)")
    compared.add_argument("--data", default="expressions", metavar="DATA", help="one data set or several (expressions)")
    compared.add_argument(
        "--budget", type=read.whole("--budget", 1, 10**9), default=30_000, metavar="N", help="training clips (30000)"
    )
    compared.add_argument(
        "--seeds", type=read.whole("--seeds", 1, 100), default=3, metavar="N", help="trainings of each row (3)"
    )
    compared.add_argument(
        "--first-seed", type=read.whole("--first-seed", 0, 10**6), default=0, metavar="N", help="first of them (0)"
    )
    compared.add_argument("--rows", type=read.names, default=(), metavar="ROW,ROW", help="only these rows (all)")
    compared.add_argument(
        "--clips", type=read.whole("--clips", 2, 100_000), default=512, metavar="N", help="measured on each side (512)"
    )
    compared.add_argument("--scale", default="narrow", choices=("narrow", "paper"), help="narrow (default) or paper")
    compared.add_argument(
        "--batch", type=read.whole("--batch", 0, 4096), default=16, metavar="N", help="clips a step (16; 0: presets')"
    )
    compared.add_argument("--out", default="runs/benchmark", metavar="DIR", help="runs, results.jsonl, benchmark.json")
    compared.add_argument("--publish", action="store_true", help="to docs/benchmark.md, and to the page's tab Compare")
    compared.add_argument("--report", action="store_true", help="train nothing: tell what is in --out already")
    compared.add_argument("--list", action="store_true", help="the suites, with what they claim")
    compared.add_argument(
        "--threads", type=read.whole("--threads", 0, 1024), default=0, metavar="N", help="of the processor (0: all)"
    )
    compared.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"), help="auto, cpu or cuda")
    compared.add_argument("--json", action="store_true", help="what benchmark.json holds")

    datasets = _group(commands, "data", "look at data sets")
    inspect = _command(datasets, "inspect", data.look, "counts, lengths and classes; a contact sheet with --out")
    inspect.add_argument("name", metavar="NAME", help="a data set; see `vidgan data list`")
    inspect.add_argument("--out", metavar="FILE", help="write a contact sheet: mp4, webp or gif move, png shows strips")
    inspect.add_argument("--root", metavar="DIR", help="where its files are")
    inspect.add_argument("--frames", type=read.whole("--frames", 1, 4096), metavar="T", help="clip length (16)")
    inspect.add_argument("--size", type=read.whole("--size", 8, 1024), metavar="PIXELS", help="height and width (64)")
    inspect.add_argument("--set", action="append", default=[], metavar="OPTION=VALUE", help="an option of the data set")
    inspect.add_argument("--json", action="store_true", help="as JSON")
    faces = _command(datasets, "faces", data.faces, "cut faces out of videos: aligned clips to train on", FACES)
    faces.add_argument("videos", nargs="+", metavar="VIDEO", help="video files, or folders of them")
    faces.add_argument("--out", required=True, metavar="DIR", help="where the clips and report.json go")
    faces.add_argument("--size", type=read.whole("--size", 16, 1024), metavar="PIXELS", help="height and width (300)")
    faces.add_argument("--least", type=read.whole("--least", 2, 2000), metavar="T", help="frames of a clip (31)")
    faces.add_argument("--longest", type=read.whole("--longest", 2, 2000), metavar="T", help="and at most (423)")
    faces.add_argument(
        "--smallest",
        type=read.real("--smallest", 0, 9999),
        metavar="PIXELS",
        help="of the video that a clip must be wide (75)",
    )
    faces.add_argument(
        "--edge",
        type=read.real("--edge", 0, 1),
        metavar="SHARE",
        help="of a clip that may lie outside of the video (0.25)",
    )
    faces.add_argument(
        "--smoothing",
        type=read.real("--smoothing", 0, 100),
        metavar="FRAMES",
        help="how far faces are steadied in time (2)",
    )
    faces.add_argument("--json", action="store_true", help="as JSON")
    listing = _command(datasets, "list", data.listing, "the data sets")
    listing.add_argument("--json", action="store_true", help="as JSON")

    release = _command(commands, "release", releases.release, "make a release from a training run")
    release.add_argument("training_run", metavar="RUN", help="the folder of a run, or its name in runs/")
    release.add_argument("name", metavar="NAME", help="name of the release")
    release.add_argument("--out", metavar="DIR", help="its folder (default: checkpoints/NAME)")
    release.add_argument(
        "--clips",
        type=read.clips,
        default=512,
        metavar="N",
        help="clips to measure it with (default 512; 0: none)",
    )

    hub = _group(commands, "hub", "the Hugging Face Hub")
    push = _command(hub, "push", releases.push, "publish a release as a model repository")
    push.add_argument("name", metavar="RELEASE", help="a release in checkpoints/, or a path")
    push.add_argument("repository", metavar="OWNER/NAME", help="made if there is none of that name")
    push.add_argument("--private", action="store_true", help="make a new repository private")
    push.add_argument("--revision", metavar="BRANCH", help="an existing branch to publish to (main)")
    push.add_argument("--message", metavar="TEXT", help="what the commit says")
    pull = _command(hub, "pull", releases.pull, "copy a release from the Hub to checkpoints/")
    pull.add_argument("name", metavar="OWNER/NAME[@REVISION]")
    pull.add_argument("--out", metavar="DIR", help="its folder (default: checkpoints/NAME)")

    doctor = _command(commands, "doctor", releases.check, "check the installation")
    doctor.add_argument("--json", action="store_true", help="as JSON")
    return top


EXAMPLES = """examples:
  vidgan models
  vidgan sample g3an-expressions --seed 7 -n 8 --label happiness --out smiles
  vidgan grid g3an-expressions --appearances 4 --motions 6 --out grid.webp
  vidgan resample g3an-expressions --redraw motion --label happiness --out motions.webp
  vidgan interpolate g3an-expressions --from 1 --to 2 --label fear --columns 7 --out between.webp
  vidgan animate imaginator-expressions face.png --label surprise --out face.mp4
  vidgan data inspect folder --root my/videos --out sheet.webp
"""

FACES = """Cut faces out of videos, as TrailerFaces was made (Progressive Video GAN, Section 7.1).

Shots are told apart, faces found and followed, and every track in which one person is seen long enough becomes a clip,
upright and of one size. What was dropped is counted by its reason. Stop it at any time; the same command goes on. Then:
vidgan data inspect folder --root DIR. Needs pip install "vidgan[face-clips]"."""

SAMPLE = """Draw videos of a release.

Video i of a seed is always the same one, here and in Python; the page shows video 0 of each seed. The files are
called NAME-seedS-i.FORMAT; an npz holds `frames`, uint8 [T, H, W, 3], and each latent subspace by its name."""

RESAMPLE = """Draw some subspaces anew, and keep the others.

The file is one sheet: the original, then the variants, drawn from the seeds S, S + 1, ... With --shares it is measured
how much of what each subspace changes is appearance, and how much motion."""

INTERPOLATE = """Walk between points, or between labels.

A keyframe is a seed, a link, packed text, or a .json or .npz file. The video passes all of them and ends in the last
one, or, with --loop, where it began. With --columns it is one sheet of clips, evenly spaced along the walk."""

ANIMATE = """Set a picture in motion.

The picture is cropped to a square and made as small as the release sees it. With --variations (down) or --all-labels
(across) the file is one sheet of several videos. Each --then adds a part that goes on from the last frame."""

BENCHMARK = """Train the rows of the papers' tables by the same budget, measure them, and tell which claims hold.

Stop it at any time: the same command goes on, and what has been measured is not measured again. --list names the
suites; --scale paper has the published widths and is for a GPU."""

EVALUATE = """Measure a release on clips that training never saw.

One that animates pictures: SSIM, PSNR, L1, content distances and distances of features of clips made from initial
frames of test videos, beside repeating the picture. Any other: distances of features, beside those of real clips,
frozen and shuffled ones; or what --metric names, several with commas:

  s3          do video classifiers carry over between generated and real clips?
  inception   how sure and how varied a classifier finds the clips, beside real ones
  retrieval   the nearest training clips, and whether clips are nearer to them than unseen real ones
  acd         whether it is one person throughout a clip, beside real clips and strangers
  ppl         how evenly clips change along paths in each latent subspace

A folder of videos, one clip in each file, is measured in the same way: vidgan evaluate my/samples --data weizmann;
or, video by video, against real ones of the same names: vidgan evaluate my/predictions --real my/videos.
Features other than our own come from a file of yours, which is named, and where to get it, when it is missing."""


def _command(group, name: str, run: Callable, help: str, description: str | None = None) -> Parser:
    made = group.add_parser(name, help=help, description=description or f"{help[:1].upper()}{help[1:]}.")
    made.set_defaults(run=run, parser=made)
    return made


def _group(commands, name: str, help: str):
    made = commands.add_parser(name, help=help, description=f"{help[:1].upper()}{help[1:]}.")
    return made.add_subparsers(title="commands", metavar="COMMAND", dest=f"{name}_command", required=True)


def _generator_options(made: Parser) -> None:
    """What every command that draws takes."""
    made.add_argument("name", metavar="NAME", help="a release, a run folder, a path, or owner/name on the Hub")
    made.add_argument("--seed", type=read.seed, metavar="S", help="0 to 2^64 - 1 (default: 0)")
    made.add_argument("--label", metavar="LABEL", help="a class, or a blend: happiness=0.7,fear=0.3 (default: even)")
    _drawing_options(made)


def _drawing_options(made: Parser) -> None:
    made.add_argument(
        "--truncation",
        type=read.truncation,
        metavar="X",
        help="scale of the latents: 0.7, or appearance=0.7,motion=0.3, by subspace or by role",
    )
    made.add_argument("--frames", type=read.whole("--frames", 1, 512), metavar="T", help="frames of each clip")
    made.add_argument("--device", default="cpu", help="cpu (default: the same frames everywhere) or cuda")


def _version() -> str:
    from . import __version__

    return f"vidgan {__version__}"


if __name__ == "__main__":
    sys.exit(main())
