"""The page: `python app.py [--inbrowser] [--port PORT]`, and what a Space starts.

PORT (or GRADIO_SERVER_PORT) names the port, too; it is served on this machine alone unless SPACE_ID is set.
"""

import argparse
import os

# Read by the C library and by OpenMP when a process starts, so it is started once more with them: large clips come and
# go many times a second, so keep their memory instead of asking the system for it each time; and threads that wait for
# each other sleep instead of spinning, without which a drawing takes thirty times as long where cores are shared.
_ENVIRONMENT = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": "100000000000",
    "MALLOC_TOP_PAD_": "268435456",
    "OMP_WAIT_POLICY": "passive",
}


def main() -> None:
    import sys

    parser = argparse.ArgumentParser(prog="app.py", description="Open the page.")
    parser.add_argument("--inbrowser", action="store_true", help="and a browser with it")
    port = os.environ.get("PORT") or os.environ.get("GRADIO_SERVER_PORT")
    parser.add_argument("--port", default=port, help="1 to 65535 (default: PORT, else a free one from 7860 on)")
    options = parser.parse_args()
    if options.port and not (options.port.isdecimal() and 0 < int(options.port) < 65536):
        parser.error(f"the port is a number from 1 to 65535, not {options.port!r}")
    if os.name == "posix" and not _ENVIRONMENT.keys() <= os.environ.keys():
        os.environ.update({**_ENVIRONMENT, **os.environ})
        os.execv(sys.executable, [sys.executable, *sys.argv])
    from vidgan.ui.build import launch

    launch(inbrowser=options.inbrowser, server_port=int(options.port) if options.port else None)


if __name__ == "__main__":
    main()
