"""Train one recipe: python train.py g3an --data expressions --preset cpu --run runs/faces

The same command again resumes where the run was stopped, or killed. --dry-run prints what would run;
python train.py g3an --help lists every option. On several GPUs: accelerate launch train.py g3an ...
"""

import json
import signal
import sys


def parse(arguments: list[str]):
    """The TrainOptions of a command line: a preset's values, overridden by what is given."""
    import tyro

    from vidgan.training.options import preset
    from vidgan.training.recipes import RECIPES

    if not arguments or arguments[0].startswith("-"):
        presets = (f"  {name}: {', '.join([*module.PRESETS, *module.ALIASES])}" for name, module in RECIPES.items())
        print(__doc__, "Recipes and their presets:", *presets, sep="\n")
        raise SystemExit(0 if {"-h", "--help"} & set(arguments) else 2)
    recipe, *rest = arguments
    chosen = _value(rest, "--preset") or "paper"
    default = preset(recipe, chosen, RECIPES)
    options = tyro.cli(type(default), default=default, args=rest, prog=f"train.py {recipe}")
    return preset(recipe, chosen, RECIPES, options).check()


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
