# The one list of commands. Each sets itself up: Python 3.11 or newer, make and the package registries are enough.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WIRE_TOOLS := build/wire-tools
SAM_TOOLS := build/sam-tools
STRICT ?=

export PATH := $(CURDIR)/$(BIN):$(PATH)
# A lock is the whole answer: packages that happen to lie in the user's folders must not show through.
export PYTHONNOUSERSITE := 1

.DEFAULT_GOAL := help
.PHONY: help demo test coverage lint format types bench bench-behaviour soak layer layer-matrix layer-arm64 sam-matrix wire sync-client locks clean

help:  ## List the commands.
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/demo  ## Run a function from the layer against the embedded server, on this machine.
	@python examples/demo.py

test: $(VENV)/ready $(WIRE_TOOLS)/ready $(SAM_TOOLS)/ready build/wheels-ready lint types  ## Run every check and test.
	python -m pytest $(if $(STRICT),--nothing-left-out)

coverage: $(VENV)/ready $(WIRE_TOOLS)/ready $(SAM_TOOLS)/ready build/wheels-ready  ## Run the tests with branch coverage.
	coverage run -m pytest
	coverage report --skip-covered

lint: $(VENV)/ready  ## Check style and the direction of imports.
	ruff check .
	ruff format --check .
	lint-imports --no-cache

format: $(VENV)/ready  ## Rewrite the code in the project's style.
	ruff check --fix .
	ruff format .

types: $(VENV)/ready  ## Check types.
	mypy
	basedpyright

bench: $(VENV)/bench  ## Measure speed, side by side with other clients; WRITE=1 keeps it in docs/benchmarks.
	python benchmarks/suite.py $(if $(WRITE),--write)

bench-behaviour: $(VENV)/bench  ## Compare what caches do at the edges, and what a cache is worth; WRITE=1 as above.
	python benchmarks/stampede.py $(if $(WRITE),--write)
	python benchmarks/cache_aside_libraries.py $(if $(WRITE),--write)
	python benchmarks/read_through.py $(if $(WRITE),--write)
	python benchmarks/frozen_links.py $(if $(WRITE),--write)

soak: $(VENV)/ready  ## Attack a server with nonsense and ten thousand connections, for minutes.
	python benchmarks/server_hardening.py

layer: $(VENV)/demo  ## Build the Lambda layer for this machine into build/layer.
	python -m momento_lambda_layer build --output build/layer

layer-matrix: $(VENV)/ready build/wheels-ready  ## Build every layer twice and compare.
	python scripts/layer_matrix.py

layer-arm64: $(VENV)/ready build/wheels-ready  ## Prove the arm64 layer under emulation (Debian).
	python scripts/layer_arm64.py

sam-matrix: $(VENV)/ready $(SAM_TOOLS)/ready build/wheels-ready  ## Build every layer of the SAM application, and test it.
	SAM_MATRIX=1 python -m pytest tests/sam

wire: $(WIRE_TOOLS)/ready  ## Generate the protocol modules from the .proto files.
	python scripts/generate_wire.py

sync-client: $(VENV)/ready  ## Generate the synchronous client from the asynchronous one.
	python scripts/generate_sync_client.py

locks: $(VENV)/ready  ## Resolve every lock anew.
	sh scripts/lock.sh --upgrade

clean:  ## Remove all that these commands made.
	rm -rf $(VENV) build dist .aws-sam .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache

$(VENV)/demo: locks/uv.txt locks/demo.txt pyproject.toml
	@echo "Setting up $(VENV) (once)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "momento-lambda needs Python 3.11 or newer; name one with: make PYTHON=python3.13")'
	@$(PYTHON) -m venv $(VENV)
	@python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r locks/uv.txt
	@VIRTUAL_ENV=$(VENV) uv pip install --quiet --require-hashes -r locks/demo.txt
	@VIRTUAL_ENV=$(VENV) uv pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/ready: $(VENV)/demo locks/dev.txt
	@echo "Adding the tools for development to $(VENV) (once)"
	@VIRTUAL_ENV=$(VENV) uv pip install --quiet --require-hashes -r locks/dev.txt
	@touch $@

$(VENV)/bench: $(VENV)/ready locks/bench.txt
	@VIRTUAL_ENV=$(VENV) uv pip install --quiet --require-hashes -r locks/bench.txt
	@touch $@

# Tests build layers for targets that this machine is not, and fetch nothing.
build/wheels-ready: $(VENV)/ready layer/momento_lambda_layer/lock.txt layer/momento_lambda_layer/lock-powertools.txt scripts/warm_layer_cache.py
	@mkdir -p build
	@python scripts/warm_layer_cache.py
	@touch $@

$(WIRE_TOOLS)/ready: $(VENV)/ready locks/wire.txt
	@rm -rf $(WIRE_TOOLS)
	@uv venv --quiet --python $(BIN)/python $(WIRE_TOOLS)
	@VIRTUAL_ENV=$(WIRE_TOOLS) uv pip sync --quiet --require-hashes locks/wire.txt
	@touch $@

$(SAM_TOOLS)/ready: $(VENV)/ready locks/sam.txt
	@rm -rf $(SAM_TOOLS)
	@uv venv --quiet --python $(BIN)/python $(SAM_TOOLS)
	@VIRTUAL_ENV=$(SAM_TOOLS) uv pip sync --quiet --require-hashes locks/sam.txt
	@touch $@
