# Everything a newcomer needs; `make` alone lists it. The only things that must be there: Python 3.11 or newer, make, git.

PYTHON  ?= python3
VENV    := .venv
BIN     := $(VENV)/bin
PIP     := $(BIN)/python -m pip --quiet --quiet --disable-pip-version-check
SOURCES := $(shell find package translator adapters -type f -not -path '*/__pycache__/*' 2>/dev/null)
TESTS   ?= tests
JOBS    ?= auto
PORT    ?= 8080
MINUTES ?= 10

.DEFAULT_GOAL := help
.PHONY: help demo test lint types pytest lowest fuzz serve bench litellm conformance clients recipes docs wheel clean

help:  ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1@/' | column -t -s @ 2>/dev/null \
	  || grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST)
	@echo "  (another Python: make test PYTHON=python3.12)"

demo: $(VENV)/.server  ## a Responses request with a tool call through the translator, both sides of the wire shown
	$(BIN)/diglot demo

serve: $(VENV)/.server  ## the server on PORT (8080), with ARGS="--upstream https://host/v1" or ARGS=--demo
	$(BIN)/diglot serve --port $(PORT) $(ARGS)

test: lint types pytest  ## lint, types, and all tests against the built wheel (JOBS=0: in one process)

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.test
	$(BIN)/basedpyright --project pyproject.toml

pytest: $(VENV)/.test
	$(BIN)/pytest $(TESTS) --numprocesses $(JOBS) --cov --cov-report= $(ARGS)
	$(if $(findstring --no-cov,$(ARGS)),,$(BIN)/coverage report --fail-under=100 --omit="$$($(BIN)/python -B tests/store_servers.py)")

fuzz: $(VENV)/.test  ## damaged input of all kinds, for MINUTES (10), with a SEED if you want the same again (CASE: one of them)
	PYTHONPATH=tests $(BIN)/python -B -m fuzz --minutes $(MINUTES) $(if $(SEED),--seed $(SEED)) $(if $(CASE),--case $(CASE)) $(ARGS)

lowest: $(VENV)-lowest/.made  ## the quick tests with the lowest versions that pyproject.toml allows
	$(VENV)-lowest/bin/pytest $(TESTS) -m "not slow" --numprocesses $(JOBS) $(ARGS)

bench: $(VENV)/.bench  ## the benchmarks (see benchmarks/)
	$(VENV)-bench/bin/python benchmarks/run.py $(ARGS)

litellm: $(VENV)-litellm/.made  ## LiteLLM's proxy, to take part in the benchmarks

conformance: $(VENV)/.server  ## llm-comply and llmprobe against the demo upstream (needs npx for the second)
	$(BIN)/python tests/conformance/run.py $(ARGS)

clients: $(VENV)/.test  ## SDKs and agents against stored state, two servers on each store (needs npm for some of them)
	PYTHONPATH=tests $(BIN)/python -B tests/conformance/clients.py $(ARGS)

recipes: $(VENV)-recipes/.made  ## the recipes in examples/ and the engine on Ray, with Ray, Spark (needs Java) and Hugging Face's datasets
	@command -v java >/dev/null || echo "There is no Java: Spark is left out. On Debian and Ubuntu, install default-jre-headless." >&2
	$(VENV)-recipes/bin/pytest tests/recipes $(ARGS)

docs: $(VENV)-docs/.made  ## the documentation into site/; warnings are errors
	NO_MKDOCS_2_WARNING=1 $(VENV)-docs/bin/mkdocs build --strict --quiet

wheel: dist/.built  ## build the wheel into dist/

clean:  ## remove environments, builds and caches
	rm -rf $(VENV) $(VENV)-bench $(VENV)-litellm $(VENV)-conformance $(VENV)-clients $(VENV)-docs $(VENV)-lowest $(VENV)-recipes build dist site *.egg-info .coverage .hypothesis .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

# --- what the targets stand on; each stamp is newer than what it was made from -------------------------------------------

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "diglot needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version 2>/dev/null || echo not there)." \
	    "Name another one: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV) || { echo "Could not create $(VENV): on Debian and Ubuntu, install python3-venv." >&2; exit 1; }
	@touch $@

# build/lib keeps files that were deleted from the sources, so it goes first
dist/.built: pyproject.toml LICENSE README.md $(SOURCES) | $(VENV)/.made
	@rm -rf build/lib build/bdist.* dist && mkdir dist
	$(PIP) wheel --no-deps --wheel-dir dist .
	@touch $@

# the dependencies when pyproject.toml changed, the package itself when anything in it changed
$(VENV)/.deps-%: pyproject.toml | dist/.built
	$(PIP) install "$$(ls dist/diglot-*.whl)[$*]"
	@touch $@

$(VENV)/.server: dist/.built $(VENV)/.deps-server
	$(PIP) install --no-deps --force-reinstall dist/diglot-*.whl
	@touch $@

$(VENV)/.test: dist/.built $(VENV)/.deps-test
	$(PIP) install --no-deps --force-reinstall dist/diglot-*.whl
	@touch $@ $(VENV)/.server $(VENV)/.deps-server

# benchmarks have an environment of their own: their peers pin many things
$(VENV)/.bench: dist/.built pyproject.toml
	$(PYTHON) -m venv $(VENV)-bench
	$(VENV)-bench/bin/python -m pip --quiet --quiet --disable-pip-version-check install "$$(ls dist/diglot-*.whl)[bench]"
	$(VENV)-bench/bin/python -m pip --quiet --quiet --disable-pip-version-check install --no-deps --force-reinstall dist/diglot-*.whl
	@touch $@

$(VENV)-litellm/.made: benchmarks/litellm-proxy.txt
	$(PYTHON) -m venv $(VENV)-litellm
	$(VENV)-litellm/bin/python -m pip --quiet --quiet --disable-pip-version-check install -r benchmarks/litellm-proxy.txt
	@touch $@

$(VENV)-lowest/.made: dist/.built tests/lowest.py
	$(PYTHON) -m venv $(VENV)-lowest
	$(PYTHON) tests/lowest.py > $(VENV)-lowest/constraints.txt
	$(VENV)-lowest/bin/python -m pip --quiet --quiet --disable-pip-version-check install \
	  --constraint $(VENV)-lowest/constraints.txt "$$(ls dist/diglot-*.whl)[test]"
	@touch $@

# Ray, Spark and the rest are larger than all others together
$(VENV)-recipes/.made: dist/.built pyproject.toml
	$(PYTHON) -m venv $(VENV)-recipes
	$(VENV)-recipes/bin/python -m pip --quiet --quiet --disable-pip-version-check install "$$(ls dist/diglot-*.whl)[recipes]"
	$(VENV)-recipes/bin/python -m pip --quiet --quiet --disable-pip-version-check install --no-deps --force-reinstall dist/diglot-*.whl
	@touch $@

# the wheel is there for its docstrings only, so without its dependencies
$(VENV)-docs/.made: docs/requirements.txt dist/.built
	$(PYTHON) -m venv $(VENV)-docs
	$(VENV)-docs/bin/python -m pip --quiet --quiet --disable-pip-version-check install -r docs/requirements.txt
	$(VENV)-docs/bin/python -m pip --quiet --quiet --disable-pip-version-check install --no-deps --force-reinstall dist/diglot-*.whl
	@touch $@
