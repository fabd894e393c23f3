# Every verb sets up .venv by itself; only Python 3.11+ with pip, git and make are needed.
# The plain commands behind each verb are in README.md.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
# Where PYTHONDONTWRITEBYTECODE is set, every start would compile all it imports anew.
COMPILE := $(BIN)/python -m compileall -q -j 0 $(VENV)/lib src >/dev/null || true
# More than processors: a worker waits for the processes and the disk that its test uses.
WORKERS ?= 3

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-fast test-books test-faults check bench lock wheel clean

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' Makefile

# What the product needs, and the product itself from this folder.
$(VENV)/.run: requirements/run.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(INSTALL) -r requirements/run.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(COMPILE)
	@touch $@

# The tools for tests and checks on top of it.
$(VENV)/.dev: requirements/dev.txt $(VENV)/.run
	@$(INSTALL) -r requirements/dev.txt
	@$(COMPILE)
	@touch $@

setup: $(VENV)/.dev ## install everything, pinned by hash, into .venv

demo: $(VENV)/.run ## start a stand-in for FreeAgent and the product, link a company, show its books
	@$(BIN)/comptoir demo $(ARGS)

test: $(VENV)/.dev ## all tests: both databases, browser, official SDKs, outside clients
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -q $(ARGS)

test-fast: $(VENV)/.dev ## under a minute: model, store and API, on SQLite
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -q -m "not slow and not postgres" tests/model tests/store tests/api $(ARGS)

# Over an hour on two cores. Other seeds: COMPTOIR_TEST_FIRST_SEED=2001.
test-books: $(VENV)/.dev ## the long form: 100 pulls killed, 50 worlds of 50 rounds of edits, 1,000 worlds checked
	@COMPTOIR_TEST_KILLS=100 $(BIN)/python -m pytest -n $(WORKERS) -q -rP tests/crash $(ARGS)
	@COMPTOIR_TEST_WORLDS=50 COMPTOIR_TEST_ROUNDS=50 $(BIN)/python -m pytest -n $(WORKERS) -q -rP -m "not postgres" -k kept_up tests/sync/test_rounds.py $(ARGS)
	@COMPTOIR_TEST_WORLDS=1000 $(BIN)/python -m pytest -n $(WORKERS) -q -rP tests/integrations/test_worlds.py $(ARGS)

# Hours on two cores.
test-faults: $(VENV)/.dev ## the long form: 500 pulls killed, 10,000 refreshes in trouble, reads amid work and faults
	@COMPTOIR_TEST_KILLS=500 $(BIN)/python -m pytest -n $(WORKERS) -q -rP tests/crash $(ARGS)
	@COMPTOIR_TEST_REFRESHES=10000 $(BIN)/python -m pytest -n 0 -q -rP tests/link/test_many_refreshes.py $(ARGS)
	@COMPTOIR_TEST_WORLDS=50 COMPTOIR_TEST_ROUNDS=20 $(BIN)/python -m pytest -n $(WORKERS) -q -rP -k faults tests/sync/test_rounds.py $(ARGS)

check: $(VENV)/.dev ## lint, formatting, types, layers
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

# Two hours and more on two cores.
bench: $(VENV)/.dev ## measure pulls, a list page, keeping up and a thousand companies, beside their limits and peers
	@$(BIN)/python bench/run.py $(ARGS)
	@$(BIN)/python bench/lists.py $(ARGS)
	@$(BIN)/python bench/books.py $(ARGS)
	@$(BIN)/python bench/fleet.py $(ARGS)

lock: ## pin dependencies anew from pyproject.toml
	@$(PYTHON) -m venv $(VENV)/lock && $(VENV)/lock/bin/python -m pip install --quiet uv
	@for to in run dev; do \
	  group=$$([ $$to = run ] && echo build || echo dev); \
	  $(VENV)/lock/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-emit-find-links --no-header --no-annotate pyproject.toml --group $$group -o requirements/$$to.txt; done
	@for alone in sdk-codat-platform==6.0.0 sdk-codat-lending==12.0.0 sdk-codat-accounting==0.36.0 \
	  client-freeagent==0.3.1 client-freeagent-api==0.5.0+requests-oauth2client==1.2.0 client-freeagent-cli==0.6.0 \
	  parts-cyclonedx-bom==7.5.0; do \
	  echo $${alone#*-} | tr + '\n' | $(VENV)/lock/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
	    --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate - \
	    -o requirements/$${alone%%==*}.txt; done

# The list of parts is made from the lock file, with its hashes, by a tool in an environment of its own.
wheel: $(VENV)/.run ## build the wheel and the list of its parts (CycloneDX) into dist/
	@$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
	@test -x $(VENV)/parts/bin/python || $(PYTHON) -m venv $(VENV)/parts
	@$(VENV)/parts/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/parts-cyclonedx-bom.txt
	@$(VENV)/parts/bin/python -W ignore -m cyclonedx_py requirements requirements/run.txt --pyproject pyproject.toml \
	  --output-reproducible -o dist/comptoir.cdx.json

clean: ## remove .venv and what tools left behind
	@rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .bench
