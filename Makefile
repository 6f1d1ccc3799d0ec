# Two commands do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q
TORCH ?=
PYTEST := $(BIN)/python -m pytest
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help install dev demo test test-fast soak lab lint format bench constraints down screenshots clean

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Segue needs Python 3.11 or later; name one with: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
		{ echo "Python's venv module is missing: install it (on Debian: apt-get install python3-venv)"; exit 1; }
	@touch $@

$(VENV)/.packages: $(VENV)/.python pyproject.toml constraints.txt
	@echo "Installing Segue into $(VENV): a few minutes the first time …"
	@$(PIP) install -c constraints.txt -e .
	@touch $@

$(VENV)/.installed: $(VENV)/.packages
	@$(BIN)/segue services fetch
	@touch $@

$(VENV)/.dev: $(VENV)/.packages
	@$(PIP) install -c constraints.txt -e '.[dev,torch]'
	@touch $@

$(VENV)/.torch: $(VENV)/.installed
	@$(PIP) install -c constraints.txt -e '.[torch]'
	@touch $@

install: $(VENV)/.installed $(if $(TORCH),$(VENV)/.torch)  ## the environment in .venv (TORCH=1 adds PyTorch)

dev: $(VENV)/.installed $(VENV)/.dev  ## the environment with the tools of developers

demo: install  ## demo catalogue, notebooks, and the player until Ctrl-C
	@$(BIN)/segue demo

lab: install  ## JupyterLab with the notebooks
	@$(BIN)/segue services up
	@$(BIN)/jupyter lab notebooks

down: install  ## stop the local services
	@$(BIN)/segue services down

test: dev  ## all tests but the soak, 20 to 45 minutes on 2 cores
	$(PYTEST) -n $(WORKERS) -m "not soak"

test-fast: dev  ## the tests that start nothing, under 3 minutes
	$(PYTEST) -n $(WORKERS) -m "not slow and not soak"

soak: dev  ## the full counts of kills, mutations and updates
	$(PYTEST) -m soak -o timeout=600 -o faulthandler_timeout=0

lint: dev  ## ruff, mypy and bandit
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/bandit -q -ll -r lib

format: dev  ## let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: dev  ## every benchmark, quick form
	$(BIN)/python -m benchmarks --quick

constraints: dev  ## pin what is installed now
	$(BIN)/python -m pip freeze --exclude-editable --exclude pip --exclude setuptools | LC_ALL=C sort -f > constraints.txt

screenshots: dev  ## the README's pictures, by a Chromium on the PATH (ALL=folder: of every page and state)
	$(BIN)/python docs/screenshots.py $(ALL)

clean:  ## remove what was built; var/ (services, data sets) and runs/ stay
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache
	find . -name __pycache__ -prune -exec rm -rf {} +
