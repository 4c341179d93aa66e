"""What is here and how it gets here: `vidgan models`, `release`, `hub push`, `hub pull` and `doctor`."""

from .shared import print_json


def models(options) -> None:
    from .. import hub
    from ..models import ARCHITECTURES
    from ..models.blueprint import describe

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
        return print_json(found)
    wide = max((len(item["name"]) for item in [*found["architectures"], *found["releases"]]), default=0)
    print("Architectures")
    for item in found["architectures"]:
        parameters = ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in item["parameters"].items())
        spaces = ", ".join(f"{space['name']} {space['dim']}" for space in item["latent_space"])
        print(f"  {item['name']:{wide}}  {item['title']}")
        print(f"  {'':{wide}}  parameters: {parameters}")
        print(f"  {'':{wide}}  latents: {spaces}")
    print("Releases")
    for item in found["releases"]:
        labels = f"; {', '.join(item['labels'])}" if item["labels"] else ""
        shape = f"{item['frames']} frames of {item['size']}x{item['size']}"
        print(f"  {item['name']:{wide}}  {item['architecture']} on {item['data']}, {shape}{labels}")
    if not found["releases"]:
        print(f"  none in {hub.checkpoints()}; train one with train.py, or `vidgan hub pull OWNER/NAME`")


def release(options) -> None:
    from .. import hub

    run = hub.find_run(options.training_run)
    hub.check_name(options.name)
    from ..explore.directions import directions_of
    from ..training.export import export

    folder = export(run, options.name, options.out, clips=options.clips)
    generator = hub.load(folder)
    if not generator.takes_image:
        directions_of(generator)  # found once and kept in the folder, so that no visitor waits for them
    print(folder)


def push(options) -> None:
    from .. import remote

    print(
        remote.push(
            options.name,
            options.repository,
            private=options.private,
            revision=options.revision,
            message=options.message,
        )
    )


def pull(options) -> None:
    from .. import remote

    print(remote.pull(options.name, options.out))


def check(options) -> int:
    from .. import doctor

    findings = doctor.examine()
    if options.json:
        print_json([finding.__dict__ for finding in findings])
    else:
        print("\n".join(finding.line() for finding in findings))
    return 0 if all(finding.level != "fail" for finding in findings) else 1
