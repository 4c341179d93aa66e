"""The `vidgan` command: sample, draw grids, look at data, publish, and check the installation.

A mistake in what was asked for is one sentence on stderr and exit status 2, Ctrl-C is 130. Heavy imports happen inside
the commands, so that `--help` answers at once.
"""

import argparse
import difflib
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from . import arguments as read
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

    models = _command(commands, "models", run_models, "list architectures and releases")
    models.add_argument("--json", action="store_true", help="as JSON, with parameters and latent spaces")

    sample = _command(commands, "sample", run_sample, "draw videos", SAMPLE)
    _generator_options(sample)
    sample.add_argument("-n", type=read.whole("-n", 1, 100_000), metavar="N", help="how many videos (default: 1)")
    sample.add_argument("--out", default=".", metavar="DIR", help="folder for the files (default: here)")
    sample.add_argument("--format", type=read.format, default="mp4", help="mp4, webp, gif, png (strip) or npz")
    sample.add_argument("--appearance-seed", type=read.seed, metavar="S", help="another seed for appearance alone")
    sample.add_argument("--motion-seed", type=read.seed, metavar="S", help="another seed for motion alone")
    sample.add_argument("--latents", metavar="POINT", help="these points: packed text, or a .json or .npz file")
    sample.add_argument("--json", action="store_true", help="print as JSON what was made, and of what")

    grid = _command(commands, "grid", run_grid, "draw one sheet: appearances down, motions across")
    _generator_options(grid)
    grid.add_argument("--appearances", type=read.whole("--appearances", 1, 64), default=4, metavar="N", help="rows (4)")
    grid.add_argument("--motions", type=read.whole("--motions", 1, 64), default=6, metavar="M", help="columns (6)")
    grid.add_argument("--out", required=True, metavar="FILE", help="its suffix is the format: mp4, webp or gif")

    data = _group(commands, "data", "look at data sets")
    inspect = _command(data, "inspect", run_data_inspect, "counts, lengths and classes; a contact sheet with --out")
    inspect.add_argument("name", metavar="NAME", help="a data set; see `vidgan data list`")
    inspect.add_argument("--out", metavar="FILE", help="write a contact sheet: mp4, webp or gif move, png shows strips")
    inspect.add_argument("--root", metavar="DIR", help="where its files are")
    inspect.add_argument("--frames", type=read.whole("--frames", 1, 4096), metavar="T", help="clip length (16)")
    inspect.add_argument("--size", type=read.whole("--size", 8, 1024), metavar="PIXELS", help="height and width (64)")
    inspect.add_argument("--set", action="append", default=[], metavar="OPTION=VALUE", help="an option of the data set")
    inspect.add_argument("--json", action="store_true", help="as JSON")
    listing = _command(data, "list", run_data_list, "the data sets")
    listing.add_argument("--json", action="store_true", help="as JSON")

    release = _command(commands, "release", run_release, "make a release from a training run")
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
    push = _command(hub, "push", run_push, "publish a release as a model repository")
    push.add_argument("name", metavar="RELEASE", help="a release in checkpoints/, or a path")
    push.add_argument("repository", metavar="OWNER/NAME", help="made if there is none of that name")
    push.add_argument("--private", action="store_true", help="make a new repository private")
    push.add_argument("--revision", metavar="BRANCH", help="an existing branch to publish to (main)")
    push.add_argument("--message", metavar="TEXT", help="what the commit says")
    pull = _command(hub, "pull", run_pull, "copy a release from the Hub to checkpoints/")
    pull.add_argument("name", metavar="OWNER/NAME[@REVISION]")
    pull.add_argument("--out", metavar="DIR", help="its folder (default: checkpoints/NAME)")

    doctor = _command(commands, "doctor", run_doctor, "check the installation")
    doctor.add_argument("--json", action="store_true", help="as JSON")
    return top


EXAMPLES = """examples:
  vidgan models
  vidgan sample g3an-expressions --seed 7 -n 8 --label happiness --out smiles
  vidgan grid g3an-expressions --appearances 4 --motions 6 --out grid.webp
  vidgan data inspect folder --root my/videos --out sheet.webp
"""

SAMPLE = """Draw videos of a release.

Video i of a seed is always the same one, here and in Python; the page shows video 0 of each seed. The files are
called NAME-seedS-i.FORMAT; an npz holds `frames`, uint8 [T, H, W, 3], and each latent subspace by its name."""


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
    made.add_argument(
        "--truncation",
        type=read.truncation,
        metavar="X",
        help="scale of the latents: 0.7, or appearance=0.7,motion=0.3",
    )
    made.add_argument("--frames", type=read.whole("--frames", 1, 4096), metavar="T", help="length of the video")
    made.add_argument("--device", default="cpu", help="cpu (default: the same frames everywhere) or cuda")


def _version() -> str:
    from . import __version__

    return f"vidgan {__version__}"


def _print_json(data: object, indent: int | None = 2) -> None:
    print(json.dumps(data, indent=indent))


# ------------------------------------------------------------------------------------------------ what they do


def run_models(options) -> None:
    from . import hub
    from .models import ARCHITECTURES
    from .models.blueprint import describe

    found = {
        "architectures": [describe(name) for name in ARCHITECTURES],
        "releases": [
            {
                "name": info.name,
                "architecture": info.architecture,
                "data": info.data,
                "frames": info.frames,
                "size": info.size,
                "labels": list(info.labels),
                "default": info.name == hub.DEFAULT,
            }
            for info in hub.releases()
        ],
    }
    if options.json:
        return _print_json(found)
    print("Architectures")
    for item in found["architectures"]:
        parameters = ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in item["parameters"].items())
        spaces = ", ".join(f"{space['name']} {space['dim']}" for space in item["latent_space"])
        print(f"  {item['name']:18} {item['title']}\n{'':20} parameters: {parameters}\n{'':20} latents: {spaces}")
    print("Releases")
    for item in found["releases"]:
        labels = f"; {', '.join(item['labels'])}" if item["labels"] else ""
        shape = f"{item['frames']} frames of {item['size']}x{item['size']}"
        print(f"  {item['name']:18} {item['architecture']} on {item['data']}, {shape}{labels}")
    if not found["releases"]:
        print(f"  none in {hub.checkpoints()}; train one with train.py, or `vidgan hub pull OWNER/NAME`")


def run_sample(options) -> None:
    from . import hub, video

    generator = hub.load(options.name, options.device)
    if options.latents is None:
        latents = _sampled(generator, options, options.n or 1)
    else:
        for name in ("seed", "n", "appearance_seed", "motion_seed", "truncation", "frames"):
            if getattr(options, name) is not None:
                flag = "-n" if name == "n" else f"--{name.replace('_', '-')}"
                raise VidganError(f"{flag} and --latents contradict each other; give one of the two.")
        latents = read_latents(options.latents, generator.latent_space)
    condition = _condition(generator, options.label)
    source = f"seed{options.seed or 0}" if options.latents is None else "latents"
    files = []
    for index in range(latents.batch):
        point = latents.row(index)
        frames = video.to_uint8(generator.generate(point, condition))[0]
        path = Path(options.out) / f"{generator.info.name}-{source}-{index}.{options.format}"
        files.append(str(video.save(path, frames, generator.fps, point)))
        if not options.json:
            print(files[-1], flush=True)
    if options.json:
        weights = condition.label[0].tolist() if condition else ()
        _print_json(
            {
                "release": generator.info.name,
                "seed": None if options.latents else options.seed or 0,
                "label": {name: weight for name, weight in zip(generator.labels, weights) if weight},
                "frames": len(frames),
                "size": generator.size,
                "fps": generator.fps,
                "files": files,
                "latents": [json.loads(latents.row(index).to_json()) for index in range(latents.batch)],
            },
            indent=None,  # a number a line would be long
        )


def run_grid(options) -> None:
    from . import hub, video

    if Path(options.out).suffix.lower() not in (".mp4", ".webp", ".gif"):
        raise unknown("format for a grid", Path(options.out).suffix or options.out, (".mp4", ".webp", ".gif"))
    generator = hub.load(options.name, options.device)
    latents = _sampled(generator, options, max(options.appearances, options.motions))
    condition = _condition(generator, options.label)
    moving = [subspace.name for subspace in generator.latent_space.by_role("motion")]
    rows = []
    for row in range(options.appearances):
        rows.append([])
        for column in range(options.motions):
            motion = {name: latents.row(column)[name] for name in moving}
            clip = generator.generate(latents.row(row).replace(motion), condition)
            rows[-1].append(video.to_uint8(clip)[0])
    print(video.save(options.out, video.grid(rows), generator.fps))


def _sampled(generator, options, n: int):
    """n points of the generator's space as the options say."""
    seeds = {
        name: getattr(options, f"{name}_seed")
        for name in ("appearance", "motion")
        if getattr(options, f"{name}_seed", None) is not None
    }
    return generator.latent_space.sample(
        n,
        options.seed or 0,
        steps=generator.steps_for(options.frames or generator.frames),
        truncation=1.0 if options.truncation is None else options.truncation,
        seeds=seeds,
    )


def _condition(generator, label: str | None):
    """The condition for one clip from `--label`; without one the even blend; None where the release has no labels."""
    from .conditions import Condition

    labels = generator.labels
    if label is not None:
        return Condition.parse(label, labels)
    return Condition.of_label([1.0] * len(labels), labels) if labels else None


def read_latents(text: str, space):
    """The points that `--latents` names: a .json file (`Latents.to_json`), an .npz file that holds each subspace by
    its name, or packed text (`Latents.pack`); checked against `space`."""
    from .latents import Latents

    if not text.lower().endswith((".json", ".npz")):
        return space.unpack(text)
    try:
        if text.lower().endswith(".json"):
            return space.validate(Latents.from_json(Path(text).read_text("utf-8")))
        import numpy as np

        with np.load(text, allow_pickle=False) as arrays:
            values = {name: arrays[name] for name in space.names if name in arrays}
        return space.validate(Latents(values))
    except VidganError as error:
        raise VidganError(f"{text} holds no latents that fit: {error}") from error
    except FileNotFoundError as error:
        raise VidganError(f"There is no file {text!r}.") from error
    except Exception as error:  # whatever zip and numpy find in a file that is not theirs
        raise VidganError(f"{text} cannot be read as latents ({type(error).__name__}).") from error


def run_data_inspect(options) -> None:
    from .data import inspect, options_of

    taken = options_of(options.name)
    given = {name: getattr(options, name) for name in ("root", "frames", "size") if getattr(options, name) is not None}
    for item in options.set:
        name, equals, value = item.partition("=")
        if not equals or not name.isidentifier():
            raise VidganError(f"--set takes OPTION=VALUE, not {item!r}.")
        if name not in taken:
            raise unknown(f"option of {options.name}", name, taken)
        try:
            given[name] = json.loads(value)
        except ValueError:
            given[name] = value
    found = inspect.inspect(options.name, out=options.out, **given)
    if options.json:
        return _print_json(found)
    print(inspect.text(found))


def run_data_list(options) -> None:
    import importlib

    from .data import DATASETS

    found = {
        name: (importlib.import_module(module).__doc__ or name).strip().splitlines()[0]
        for name, module in DATASETS.items()
    }
    if options.json:
        return _print_json([{"name": name, "title": title} for name, title in found.items()])
    for name, title in found.items():
        print(f"{name:14} {title}")


def run_release(options) -> None:
    from . import hub

    run = hub.find_run(options.training_run)
    hub.check_name(options.name)
    from .explore.directions import directions_of
    from .training.export import export

    folder = export(run, options.name, options.out, clips=options.clips)
    directions_of(hub.load(folder))  # found once and kept in the folder, so that no visitor waits for them
    print(folder)


def run_push(options) -> None:
    from . import remote

    print(
        remote.push(
            options.name,
            options.repository,
            private=options.private,
            revision=options.revision,
            message=options.message,
        )
    )


def run_pull(options) -> None:
    from . import remote

    print(remote.pull(options.name, options.out))


def run_doctor(options) -> int:
    from . import doctor

    findings = doctor.examine()
    if options.json:
        _print_json([finding.__dict__ for finding in findings])
    else:
        print("\n".join(finding.line() for finding in findings))
    return 0 if all(finding.level != "fail" for finding in findings) else 1


if __name__ == "__main__":
    sys.exit(main())
