"""Train one recipe: python train.py g3an --data expressions --preset cpu --run runs/faces

The same command again resumes where the run was stopped, or killed. --dry-run prints what would run;
python train.py g3an --help lists every option. On several GPUs: accelerate launch train.py g3an ...
"""

import io
import json
import signal
import sys
from contextlib import redirect_stderr


def parse(arguments: list[str]):
    """The TrainOptions of a command line: a preset's values, overridden by what is given."""
    import tyro

    from vidgan.errors import VidganError
    from vidgan.training.options import preset
    from vidgan.training.recipes import RECIPES

    if not arguments or arguments[0].startswith("-"):
        presets = (f"  {name}: {', '.join([*module.PRESETS, *module.ALIASES])}" for name, module in RECIPES.items())
        print(__doc__, "Recipes and their presets:", *presets, sep="\n")
        raise SystemExit(0 if {"-h", "--help"} & set(arguments) else 2)
    recipe, *rest = arguments
    chosen = _value(rest, "--preset") or "paper"
    default = preset(recipe, chosen, RECIPES)
    told = io.StringIO()
    try:
        with redirect_stderr(told):
            options = tyro.cli(type(default), default=default, args=rest, prog=f"train.py {recipe}")
    except SystemExit as stopped:
        if not stopped.code:  # --help
            raise
        raise VidganError(f"{_sentence(told.getvalue())} See `python train.py {recipe} --help`.") from None
    return preset(recipe, chosen, RECIPES, options).check()


def _sentence(box: str) -> str:
    """What tyro complains about, out of the box that it draws around it."""
    lines = [line.strip("│ ") for line in box.splitlines() if line.strip("╭╮╰╯│─ ")]
    lines = [line for line in lines if not line.startswith("╭")]
    more = ("Perhaps you meant", "Arguments similar to", "Argument helptext", "For full helptext")
    first = next((index for index, line in enumerate(lines) if line.startswith(more)), len(lines))
    told = " ".join(lines[:first]).removesuffix(".")
    near = "".join(lines[first : first + 1]).startswith(more[:2])
    meant = [line.split()[0] for line in lines[first:] if near and line.startswith("--")]
    hint = f"; did you mean {' or '.join(meant[:2])}?" if meant else "."
    return told[:1].upper() + told[1:] + hint


def _value(arguments: list[str], option: str) -> str:
    """What is given for one option, as `--option value` or `--option=value`; empty where it is not."""
    for item, following in zip(arguments, [*arguments[1:], ""], strict=False):
        if item.partition("=")[0] == option:
            return item.partition("=")[2] or following
    return ""


def run(arguments: list[str]) -> int:
    from vidgan.errors import VidganError

    try:
        options = parse(arguments)
        if options.dry_run:
            print(json.dumps(options.settled().to_json(), indent=2))
            return 0
        from vidgan.training.trainer import train

        train(options)
    except VidganError as error:
        print(f"train.py: {error}", file=sys.stderr)
        return 2
    return 0


def main(arguments: list[str]) -> int:
    """0 when the run ended, was stopped or has nothing left to do; 2 for mistakes; 130 for a second Ctrl-C."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # until the loop listens itself
    try:
        return run(arguments)
    except KeyboardInterrupt as stopped:
        at_once = bool(stopped.args)
        print(
            "\ntrain.py: stopped " + ("at once; the last saved state stands." if at_once else "before the first step.")
        )
        return 130 if at_once else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
