# make demo: set up, then open the page        make test: set up, then run every test
# make setup · smoke · bench · lint · lock are the parts and the rest; all of them can be run again at any time.

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
NEEDED := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c '$(NEEDED)' 2>/dev/null && echo $$p && break; done)
# two test workers of one thread each: small networks gain nothing from more, and threads that wait for each other cost
WORKERS ?= 2

.PHONY: demo setup test smoke bench lint lock chromium faces

demo: setup
	$(BIN)/python app.py --inbrowser

setup: $(READY)

# UV_FIND_LINKS lets uv see a local build of torch where pip knows one, and changes nothing elsewhere.
$(READY): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "vidgan needs Python 3.11 or newer, which was not found; name it with PYTHON=..."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(BIN)/uv || $(BIN)/python -m pip install -q --disable-pip-version-check uv
	UV_FIND_LINKS="$${UV_FIND_LINKS:-$${PIP_FIND_LINKS:-}}" \
		$(BIN)/uv pip install -q --python $(BIN)/python -c constraints.txt -e '.[dev]'
	@touch $@

test: setup faces chromium
	@OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(TESTS)

# what the tests of face clips need, where it is to be had (Python 3.12 or older): they are skipped without it
faces: $(VENV)/.faces

$(VENV)/.faces: $(READY)
	@echo "installing what the tests of face clips need"
	@UV_FIND_LINKS="$${UV_FIND_LINKS:-$${PIP_FIND_LINKS:-}}" \
		$(BIN)/uv pip install -q --python $(BIN)/python -c constraints.txt -e '.[face-clips]' \
		&& touch $@ || echo "not to be had: the tests of face clips will be skipped"

chromium:
	@for name in chromium chromium-browser google-chrome; do \
		if command -v $$name >/dev/null 2>&1; then exit 0; fi; done; \
	if command -v apt-get >/dev/null 2>&1 && test "$$(id -u)" = 0; then \
		echo "installing Chromium for the browser tests"; \
		export DEBIAN_FRONTEND=noninteractive; \
		apt-get update >/dev/null 2>&1; \
		apt-get install -y --no-install-recommends chromium fonts-dejavu-core fonts-liberation >/dev/null 2>&1 && exit 0; \
	fi; echo "there is no Chromium and it could not be installed: the browser tests will be skipped"

# from nothing to a video in about a minute: train a tiny G3AN, release it, draw from it
smoke: setup
	@set -e; export OMP_NUM_THREADS=1; work=$$(mktemp -d); trap 'rm -rf "$$work"' EXIT; \
	$(BIN)/python train.py g3an --data expressions --preset smoke --run "$$work/run"; \
	$(BIN)/vidgan release "$$work/run" smoke --out "$$work/smoke" --clips 32; \
	$(BIN)/vidgan sample "$$work/smoke" --seed 7 -n 2 --out "$$work"; \
	echo "smoke: trained, released and sampled"

bench: setup
	@$(BIN)/python -m benchmarks

lint: setup
	@$(BIN)/ruff check .

# Renews what is missing and keeps every pin; add ARGS=--upgrade or ARGS='--upgrade-package NAME' to move pins.
lock: setup
	UV_FIND_LINKS= $(BIN)/uv pip compile --universal --all-extras --no-annotate --no-header $(ARGS) pyproject.toml -o constraints.txt
