# Each target sets up what it needs; nothing has to be installed by hand but Python 3.11+ and make.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# The PyTorch that the tests run on; the library accepts any recent version. The CPU build is enough: where the default one
# brings CUDA along, name another, as in: make test TORCH=/path/to/torch-cpu.whl
TORCH  ?= torch==2.13.0

.PHONY: run test check format lint types floors docs bench system clean help

help:  ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 12

run: $(VENV)/.run  ## start the service and the studio on http://127.0.0.1:8000
	$(BIN)/heatbath serve

test: $(VENV)/.test system  ## run every test, doctests and documented examples included
	$(BIN)/python -m pytest -n auto --dist loadfile

check: format lint types floors test docs  ## everything that must hold before a change lands

format: $(VENV)/.test
	$(BIN)/ruff format --check .

lint: $(VENV)/.test
	$(BIN)/ruff check .

types: $(VENV)/.test
	$(BIN)/mypy

floors: $(VENV)/.test
	$(BIN)/lint-imports

docs: $(VENV)/.docs  ## build the documentation site into docs/_build
	$(BIN)/sphinx-build -q -W --keep-going -b html docs docs/_build/html
	@echo "open docs/_build/html/index.html"

bench: $(VENV)/.test  ## run every benchmark, the quick way
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script --quick || failed=1; done; test -z "$$failed"

system:  # a browser and a Chinese font for the tests of the page
	@sh scripts/system-packages

$(VENV)/.python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	@touch $@

$(VENV)/.run: $(VENV)/.python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[serve]'
	@touch $@

$(VENV)/.test: $(VENV)/.run pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check '$(TORCH)'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[gateway,jax,docs,test]'
	@touch $@

$(VENV)/.docs: $(VENV)/.test
	@touch $@

clean:  ## remove the environment and everything that was built
	rm -rf $(VENV) build dist docs/_build docs/gallery .pytest_cache .mypy_cache .ruff_cache
