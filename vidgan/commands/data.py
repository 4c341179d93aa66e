"""`vidgan data`: a look at data sets."""

from .shared import data_options, print_json


def look(options) -> None:
    from ..data import inspect

    given = {name: getattr(options, name) for name in ("root", "frames", "size") if getattr(options, name) is not None}
    given |= data_options(options.name, options.set)
    found = inspect.inspect(options.name, out=options.out, **given)
    if options.json:
        return print_json(found)
    print(inspect.text(found))


def faces(options) -> None:
    from dataclasses import fields

    from ..data.faces import FaceOptions, collect

    given = {field.name: getattr(options, field.name) for field in fields(FaceOptions)}
    wanted = FaceOptions(**{name: value for name, value in given.items() if value is not None})
    report = collect(options.videos, options.out, wanted)
    if options.json:
        return print_json(report.as_json())
    print(report.text())


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
