"""The page: `python app.py`, and what a Space starts.

PORT (or GRADIO_SERVER_PORT) names the port; it is served on this machine alone unless SPACE_ID is set.
"""

import os

# Large clips come and go many times a second: keep their memory instead of asking the system for it each time.
# glibc reads these when a process starts, so it is started once more with them.
_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "100000000000", "MALLOC_TOP_PAD_": "268435456"}


def main() -> None:
    import sys

    if os.name == "posix" and "MALLOC_TOP_PAD_" not in os.environ:
        os.environ.update(_MEMORY)
        os.execv(sys.executable, [sys.executable, *sys.argv])
    from vidgan.ui.build import launch

    launch()


if __name__ == "__main__":
    main()
