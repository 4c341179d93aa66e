"""`vidgan data`: a look at data sets."""

import json

from ..errors import VidganError, unknown
from .shared import print_json


def look(options) -> None:
    from ..data import inspect, options_of

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
        return print_json(found)
    print(inspect.text(found))


def listing(options) -> None:
    import importlib

    from ..data import DATASETS

    found = {
        name: (importlib.import_module(module).__doc__ or name).strip().splitlines()[0]
        for name, module in DATASETS.items()
    }
    if options.json:
        return print_json([{"name": name, "title": title} for name, title in found.items()])
    for name, title in found.items():
        print(f"{name:14} {title}")
