# Every target does all of its own set-up: it needs Python 3.11 or newer and make, and nothing else.
#
#   make demo                       train an InfoGAN on MNIST and draw pictures (about 8 minutes on two cores)
#   make demo ARGS="--images 20k"   the same, shorter; ARGS goes to `ganzoo train`
#   make test                       the fast tests; ARGS goes to pytest
#   make test-slow                  the long ones
#   make test-native                the tests of C code, with gcc's AddressSanitizer watching its memory
#   make kill                       kill trainings and look what is lost; KILLS is how often (1000)
#   make lint                       ruff, mypy and the import contracts
#   make wheel                      the source distribution, and the wheel built from it
#   make locked                     the environment from requirements.lock: exact versions, each file's SHA-256 checked
#                                   (CPython 3.11, Linux on x86-64); `make locked test` then tests in it
#   make lock                       writes requirements.lock anew, with the newest versions that are allowed
#   make audit                      looks the versions in requirements.lock up among known vulnerabilities (needs PyPI)
#
# PYTHON is the interpreter to build the environment with, VENV the environment's folder.

PYTHON ?= python3
VENV ?= .venv
DIST ?= dist
ARGS ?=
KILLS ?= 1000

BIN := $(VENV)/bin
RUN := $(VENV)/.installed
TEST := $(VENV)/.installed-test
DEV := $(VENV)/.installed-dev
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# The stamps install into one environment: never two at a time.
.NOTPARALLEL:
.PHONY: help demo test test-slow test-native kill lint wheel lock locked audit clean

help:
	@sed -n 's/^# \{0,1\}//p' Makefile | sed '/^The stamps/,$$d'

demo: $(RUN)
	$(BIN)/ganzoo train infogan --data mnist $(ARGS)

# One process a core, each with one thread: many small tests gain more from that than from threads of their own. A file stays in one process, with what its tests share.
# Files begin by name: by their number of tests, as xdist has it, those of few long ones would be left to one process at the end.
test: $(TEST)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --maxprocesses 8 --dist loadfile --no-loadscope-reorder $(ARGS)

test-slow: $(DEV)
	$(BIN)/python -m pytest -m slow $(ARGS)

# The sanitizer's library comes before Python's own, and C++'s before torch, whose exceptions it follows; its report is not to be
# captured, for the process ends with it.
test-native: $(TEST)
	LD_PRELOAD="$$(gcc -print-file-name=libasan.so) $$(gcc -print-file-name=libstdc++.so.6)" ASAN_OPTIONS=detect_leaks=0 \
	  CC="gcc -fsanitize=address -g" GANZOO_NATIVE=1 XDG_CACHE_HOME="$(abspath $(VENV))/sanitized" \
	  $(BIN)/python -m pytest --capture=no $(ARGS) tests/networks/test_native.py::test_ganzoos_own_files_are_used_here \
	  tests/networks/test_native_grey.py tests/networks/test_native_squares.py tests/networks/test_rectified.py

kill: $(TEST)
	$(BIN)/python tests/kill_runs.py --kills $(KILLS) $(ARGS)

lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

wheel: $(DEV)
	$(BIN)/python -m build --outdir $(DIST)

# The tools that read the lock are kept out of the environment that it describes.
TOOLS := $(VENV)/tools
$(TOOLS)/bin/python: | $(BIN)/python
	@"$(PYTHON)" -m venv "$(TOOLS)"
	@$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9,<1' 'pip-audit>=2.9,<3'

# Only what pip itself would look up counts: no address of any server is written down.
lock: | $(TOOLS)/bin/python
	@sed -n '/^#/p' requirements.lock >requirements.head
	@$(TOOLS)/bin/uv pip compile --quiet --upgrade pyproject.toml --all-extras --python-version 3.11 \
	  --python-platform x86_64-manylinux_2_28 --generate-hashes --no-annotate --no-header --no-emit-index-url \
	  --no-emit-find-links --output-file requirements.body >/dev/null
	@cat requirements.head requirements.body >requirements.lock && rm requirements.head requirements.body
	@echo "requirements.lock: $$(grep -c == requirements.lock) packages"

locked: | $(BIN)/python
	@"$(BIN)/python" -c 'import platform, sys; sys.exit((sys.version_info[:2], sys.platform, platform.machine()) != ((3, 11), "linux", "x86_64"))' || { \
	  echo "requirements.lock is for CPython 3.11 on Linux (x86-64); elsewhere, make test installs by name" >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(INSTALL) . --no-deps --no-build-isolation
	@touch $(RUN) $(TEST) $(DEV)

audit: | $(TOOLS)/bin/python
	@$(TOOLS)/bin/pip-audit --strict --disable-pip --require-hashes --requirement requirements.lock >$(VENV)/audit.txt 2>&1 || { \
	  cat $(VENV)/audit.txt >&2; \
	  grep -q "^Found .* known vulnerabilit" $(VENV)/audit.txt || \
	    echo "make audit: PyPI's list of vulnerabilities cannot be had here, so nothing was audited; try again with a network" >&2; \
	  exit 1; }
	@cat $(VENV)/audit.txt

clean:
	rm -rf $(VENV) build dist requirements.head requirements.body .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache

$(BIN)/python:
	@command -v "$(PYTHON)" >/dev/null 2>&1 || { \
	  echo "ganzoo needs Python 3.11 or newer, and there is no '$(PYTHON)': name one, as in make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "ganzoo needs Python 3.11 or newer, and '$(PYTHON)' is $$("$(PYTHON)" --version 2>&1): name another, as in make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@"$(PYTHON)" -m venv "$(VENV)" || { rm -rf "$(VENV)"; exit 1; }
	@echo "Made the environment $(VENV); PyTorch is large, so the first installation takes some minutes."

$(RUN): pyproject.toml | $(BIN)/python
	$(INSTALL) .
	@touch $@

$(TEST): pyproject.toml | $(BIN)/python
	$(INSTALL) '.[test]'
	@touch $@

$(DEV): pyproject.toml | $(BIN)/python
	$(INSTALL) '.[dev]'
	@touch $@
