# SPDX-License-Identifier: MIT
# Every target sets up what it needs; `make help` lists them.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STEPS  := image-deployer deploymentizer deployer pipeline
UV     := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
          --constraint images/recipe/from-debian.txt

export PYTHONDONTWRITEBYTECODE := 1

.DEFAULT_GOAL := help
.PHONY: help venv demo bench test test-unit lint format images lock docs clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: venv  ## the main job, end to end, on real parts: push a service, watch it land, break it, roll back
	$(BIN)/python -m demo

test: venv  ## every test, on real parts (starts them; needs Docker, or installs it on a bare Debian)
	$(BIN)/pytest

test-unit: venv  ## the tests that need nothing but Python (seconds)
	$(BIN)/pytest tests/unit tests/compat

bench: venv  ## measure on real parts, beside what one would use instead; writes bench/RESULTS.md
	$(BIN)/python -m bench

lint: venv  ## formatting, style, types, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: venv  ## format the code and sort its imports
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

images: venv  ## build the images, three steps and kit-pipeline, and print their sizes (SBOM=1 writes a list of contents)
	$(BIN)/python -m images.build

docs: venv  ## write what is made from the code: settings tables in the READMEs, schemas for editors
	$(BIN)/python -m kit_core.reference
	$(BIN)/python -m kit_deploymentizer.inputs.schemas
	$(BIN)/python -m kit_pipeline.files.schemas

lock: venv  ## resolve the dependencies anew and write locks/*.txt
	$(UV) pyproject.toml --group dev --all-extras -o locks/dev.txt
	for step in $(STEPS); do $(UV) pyproject.toml --extra $$step -o locks/$$step.txt || exit 1; done

clean:  ## remove what the targets made here (images and the testbed's cache stay)
	rm -rf $(VENV) generated reports .mypy_cache .ruff_cache

venv: $(VENV)/ready

$(VENV)/ready: locks/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "kit needs Python 3.11 or newer as $(PYTHON); set PYTHON=..." >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-venv; \
	  else echo "Python's venv module is missing: install the package python3-venv" >&2; exit 2; fi; }
	@echo "setting up $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r locks/dev.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
