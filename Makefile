# One word a task. Every target sets up what it needs, says what it does, and can be run twice.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
KERNELS := $(VENV)/.kernels
BENCH_INSTALLED := $(VENV)/.bench-installed
PORT ?= 3000

# With this set nothing is ever compiled, and every Dagster process starts three times slower.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install demo up down migrate check test test-debian-postgres bench lock

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 24

install: $(INSTALLED) ## Make .venv from the locked, hashed requirements

$(INSTALLED): requirements.lock pyproject.toml
	@echo "== installing into $(VENV) (once; about a minute)"
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed: make PYTHON=python3.12")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q $(VENV)/lib || true
	@touch $@

demo: $(INSTALLED) $(KERNELS) ## The main job on the embedded Postgres: candles to A/E, ticks, the result (CANDLES=folder for real ones)
	@LOWCAP_CANDLES="$(abspath $(CANDLES))" $(BIN)/lowcap demo

up: $(INSTALLED) $(KERNELS) ## Start Dagster (http://127.0.0.1:3000) and the runtime in the background (PORT=3001, CANDLES=folder for real candles, LIVE=file for live ones)
	@LOWCAP_CANDLES="$(abspath $(CANDLES))" LOWCAP_LIVE="$(abspath $(LIVE))" $(BIN)/lowcap up --port $(PORT)

down: $(INSTALLED) ## Stop what `make up` started, and the embedded Postgres
	@$(BIN)/lowcap down

migrate: $(INSTALLED) ## Bring the database's tables up to date
	@$(BIN)/python -m sql.migrate

# Numba's cache of a compiled function looks at that function's own file only, not at what it calls.
$(KERNELS): $(wildcard domain/*/*.py) $(INSTALLED)
	@find domain \( -name '*.nbi' -o -name '*.nbc' \) -delete
	@touch $@

check: $(INSTALLED) $(KERNELS) ## Lint, types, import contracts, house rules: under a minute
	@echo "== ruff" && $(BIN)/ruff check . && $(BIN)/ruff format --check .
	@echo "== mypy" && $(BIN)/mypy
	@echo "== import contracts" && $(BIN)/lint-imports
	@echo "== house rules" && $(BIN)/python -m pytest -q -n 2 tests/architecture

# What speaks SQL of its own, and one run of a chain with its lineage and of learning; what else is proved does not depend
# on the server, and is the longest.
ON_BOTH_SERVERS = tests/contracts tests/sql tests/console/test_why_chain.py \
  tests/assets/test_learning_overrides.py::test_a_planted_edge_is_proposed_watched_and_live_over_days
OF_THE_OWN_SERVER = embedded_postgres or postgres_location or postgres_binaries or debian_postgres or postgres_fixtures

test: $(INSTALLED) $(KERNELS) ## Every test, on the embedded Postgres; beside it, where it is installed, on Debian's Postgres 15
	@echo "== tests" && mkdir -p .lowcap && \
	{ $(MAKE) --no-print-directory test-debian-postgres > .lowcap/test-debian-postgres.log 2>&1 & } ; beside=$$!; \
	$(BIN)/python -m pytest -q -n 3 --dist loadfile --durations=12; embedded=$$?; \
	wait $$beside; debian=$$?; cat .lowcap/test-debian-postgres.log; \
	exit $$(( embedded != 0 || debian != 0 ))

test-debian-postgres: $(INSTALLED)
	@if [ -x /usr/lib/postgresql/15/bin/initdb ]; then \
	  echo "== tests on Debian's Postgres 15, named by DATABASE_URL" && \
	  $(BIN)/python -m tests.debian_postgres $(BIN)/python -m pytest -q -m "postgres and not browser" \
	    -k "not ($(OF_THE_OWN_SERVER))" $(ON_BOTH_SERVERS); \
	else echo "== Debian's Postgres 15 is not installed: its pass is skipped"; fi

bench: $(BENCH_INSTALLED) ## Benchmarks against their peers (ARGS=--small for a short run)
	@for unit in indicator uptrend_fold group_returns window hourly_chain lesson_mining trade_arrival edge_decay lesson_noise pm_tick page; do echo "== $$unit" && $(BIN)/python -m benchmarks.$$unit $(ARGS) || exit 1; done

$(BENCH_INSTALLED): $(INSTALLED) requirements-bench.lock
	@echo "== installing the benchmarks' peers"
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements-bench.lock
	@touch $@

lock: ## Write requirements.lock anew from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-strip-extras --no-emit-index-url -q -o requirements.lock
	uv pip compile pyproject.toml --group dev --group bench --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-strip-extras --no-emit-index-url -q -o requirements-bench.lock
