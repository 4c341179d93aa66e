"""Releases on the Hugging Face Hub: pull one, publish one. Used through `vidgan.hub`; talks only when asked to.

`HF_ENDPOINT`, `HF_HOME`, `HF_TOKEN` and `HF_HUB_OFFLINE` mean what they mean to huggingface_hub.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import huggingface_hub as hf
from huggingface_hub import errors

from . import hub
from .errors import VidganError


class Absent(VidganError):
    """A name that leads to nothing that can be reached."""


def download(repository: str, revision: str | None = None) -> Path:
    """The folder of `repository` ("owner/name") at `revision` (branch, tag or commit) in the Hub's cache.

    Only the files of a release are fetched, and the weights only after config.json has been found right.
    Raises VidganError where there is no such repository, revision or connection, and for what is no release.
    """
    name = repository + (f"@{revision}" if revision else "")
    with _spoken(name):
        folder = Path(hf.snapshot_download(repository, revision=revision, allow_patterns=[hub.CONFIG]))
    if not (folder / hub.CONFIG).is_file():
        raise VidganError(f"{name} on the Hub has no {hub.CONFIG}: it is no release of vidgan.")
    try:
        hub.read_info(folder)
    except VidganError as error:
        raise VidganError(f"{name} on the Hub is no release that can be used: {error}") from error
    with _spoken(name):  # the commit, so that both halves are of one moment even if somebody pushes in between
        return Path(hf.snapshot_download(repository, revision=folder.name, allow_patterns=list(hub.FILES)))


def pull(name: str, folder: str | Path | None = None) -> Path:
    """Copy the release `owner/name[@revision]` to `folder` (default: `checkpoints/NAME`), checked as for loading."""
    named = hub.REPOSITORY.fullmatch(name)
    if not named:
        raise VidganError(f"A release on the Hub is called owner/name or owner/name@revision, not {name!r}.")
    folder = Path(folder) if folder else hub.checkpoints() / named[1].partition("/")[2]
    source = download(named[1], named[2])
    hub.check_release(source)
    with hub.new_folder(folder) as new:
        for file in hub.FILES:
            if (source / file).is_file():
                shutil.copyfile(source / file, new / file)
    return folder


def push(
    name: str | Path, repository: str, *, private: bool = False, revision: str | None = None, message: str | None = None
) -> str:
    """Publish a release, made first if need be, as the model repository `owner/name`; gives the address of the commit.

    The release is loaded once before anything is sent. Raises VidganError where it cannot be, where nobody is logged
    in (`hf auth login`, or `HF_TOKEN`) and where the Hub refuses.
    """
    if not hub.REPOSITORY.fullmatch(repository) or "@" in repository:
        raise VidganError(f"A repository on the Hub is called owner/name, not {repository!r}.")
    folder = hub.find(name)
    if hub.is_run(folder):
        raise VidganError(f"{folder} is a run without a release; make one first: vidgan release {folder.name} NAME.")
    hub.check_release(folder)
    api = hf.HfApi(library_name="vidgan")
    with _spoken(repository):
        api.create_repo(repository, private=private, exist_ok=True)
        commit = api.upload_folder(
            repo_id=repository,
            folder_path=folder,
            allow_patterns=list(hub.FILES),
            revision=revision,
            commit_message=message or f"Release {folder.name}",
        )
    return str(commit.commit_url)


@contextmanager
def _spoken(name: str) -> Iterator[None]:
    """Whatever the Hub's library raises becomes one sentence."""
    try:
        yield
    except (errors.HFValidationError, errors.RevisionNotFoundError) as error:
        raise Absent(f"There is no revision or no repository of the name {name!r} on the Hub.") from error
    except (errors.GatedRepoError, errors.RepositoryNotFoundError) as error:
        raise Absent(
            f"There is no model {name!r} on the Hub that you may use; check the spelling, or log in with "
            "`hf auth login` if it is private."
        ) from error
    except errors.LocalEntryNotFoundError as error:
        if hf.constants.HF_HUB_OFFLINE:
            raise Absent(f"{name} has not been pulled before, and HF_HUB_OFFLINE keeps from doing so.") from error
        raise Absent(f"{name} has not been pulled before, and the Hub cannot be reached.") from error
    except errors.OfflineModeIsEnabled as error:
        raise VidganError(f"HF_HUB_OFFLINE is set, so nothing can be sent to {name}.") from error
    except Exception as error:
        status = getattr(getattr(error, "response", None), "status_code", None)
        if status in (401, 403):
            reason = "you are not allowed to; log in with `hf auth login`"
        else:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        raise VidganError(f"The Hub did not do it for {name}: {reason}.") from error
