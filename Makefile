# Every target does all of its own set-up: it needs Python 3.11 or newer and make, and nothing else.
#
#   make demo                       train an InfoGAN on MNIST and draw pictures (about 15 minutes on two cores)
#   make demo ARGS="--images 20k"   the same, shorter; ARGS goes to `ganzoo train`
#   make test                       the fast tests; ARGS goes to pytest
#   make test-slow                  the long ones
#   make kill                       kill trainings and look what is lost; KILLS is how often (1000)
#   make lint                       ruff, mypy and the import contracts
#   make wheel                      the source distribution, and the wheel built from it
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
.PHONY: help demo test test-slow kill lint wheel clean

help:
	@sed -n 's/^# \{0,1\}//p' Makefile | sed '/^The stamps/,$$d'

demo: $(RUN)
	$(BIN)/ganzoo train infogan --data mnist $(ARGS)

# One process a core, each with one thread: many small tests gain more from that than from threads of their own. A file stays in one process, with what its tests share.
test: $(TEST)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --maxprocesses 8 --dist loadfile $(ARGS)

test-slow: $(DEV)
	$(BIN)/python -m pytest -m slow $(ARGS)

kill: $(TEST)
	$(BIN)/python tests/kill_runs.py --kills $(KILLS) $(ARGS)

lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

wheel: $(DEV)
	$(BIN)/python -m build --outdir $(DIST)

clean:
	rm -rf $(VENV) build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache

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
