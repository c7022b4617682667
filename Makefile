# Needs Python 3.10 or newer, make and a package index; everything else is made in .venv and .state.
PYTHON ?= python3
ARGS ?=
SOURCE ?= duckdb

BIN := .venv/bin
READY := .venv/.ready
LOCK := requirements.lock
PAGE := plugins/activation/ui/static/main.js
PAGE_SOURCE := $(wildcard plugins/activation/ui/source/*.* plugins/activation/ui/source/words/*.json)

TWO := -n 2 --dist loadfile
pytest = $(BIN)/python -m pytest -m $(1) $(ARGS) || { code=$$?; [ -n "$(ARGS)" ] && [ $$code -eq 5 ]; }

.DEFAULT_GOAL := help
.PHONY: help demo up test lint bench lock clean
unexport VIRTUAL_ENV CONDA_PREFIX PYTHONHOME PYTHONPATH

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' Makefile
	@echo "  From another warehouse: make demo SOURCE=postgres (or snowflake, redshift, bigquery, databricks); the same for make up"
	@echo "  With another interpreter, after make clean: make PYTHON=python3.12 ..."
	@echo "  With options for pytest: make test ARGS='-k braze'"

demo: $(READY) $(PAGE) ## Carry sample data to Braze, S3, Kinesis and Kakao Moment, which are servers of its own, inside a real Airflow
	@$(BIN)/python -m sandbox.demo '$(SOURCE)'

up: $(READY) $(PAGE) ## Start the same and keep it running until Ctrl-C, with the Airflow UI
	@$(BIN)/python -m sandbox.up '$(SOURCE)'

test: $(READY) $(PAGE) ## Run all tests: the quick ones, then those that start a real Airflow, then those that measure
	@echo "== Tests without a running Airflow, in two processes"
	@$(call pytest,"not airflow and not quiet" $(TWO))
	@echo "== Tests that start a real Airflow, in two processes"
	@$(call pytest,"airflow and not quiet" $(TWO))
	@echo "== Tests that need the machine for themselves, one after the other"
	@$(call pytest,"quiet")

lint: $(READY) ## Check style, format, types and the lock file
	@echo "== ruff check"
	@$(BIN)/ruff check .
	@echo "== ruff format --check"
	@$(BIN)/ruff format --check .
	@echo "== mypy (the first time takes a minute)"
	@$(BIN)/mypy -p activation -m activation_plugin -p sandbox -p benchmarks
	@echo "== types of the Pipelines page"
	@tools/page check
	@echo "== $(LOCK) and package-lock.json name no host"
	@if grep -n '://' $(LOCK); then echo "error: $(LOCK) must not name a host; run make lock" >&2; exit 1; fi
	@if grep -n '"resolved"' plugins/activation/ui/source/package-lock.json; then echo "error: package-lock.json must not name a registry" >&2; exit 1; fi

bench: $(READY) ## Measure an import into Braze, reading from every warehouse, exports, streams, customer files and DAGs; content first, then time
	@$(BIN)/python -m benchmarks.import_braze
	@$(BIN)/python -m benchmarks.read_sources
	@$(BIN)/python -m benchmarks.export_s3
	@$(BIN)/python -m benchmarks.stream_kinesis
	@$(BIN)/python -m benchmarks.customer_files
	@$(BIN)/python -m benchmarks.parse_dags

lock: $(READY) ## Write requirements.lock again from pyproject.toml
	@echo "== Resolving for Python 3.10 and up, with hashes; what still fits is kept (newer versions: ARGS=--upgrade)"
	@UV_PYTHON_DOWNLOADS=never $(BIN)/uv pip compile pyproject.toml --quiet --all-extras --group dev --universal \
		--python-version 3.10 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
		$(ARGS) -o $(LOCK)
	@echo "== $(LOCK) is written; the next make installs it"

clean: ## Remove what the project made: .venv, .state, caches, builds
	@echo "== Removing .venv, .state, caches and builds"
	@rm -rf plugins/activation/ui/static plugins/activation/ui/source/node_modules
	@rm -rf .venv .state .mypy_cache .ruff_cache .pytest_cache .hypothesis dist build
	@find . -name .git -prune -o -name node_modules -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): $(LOCK) pyproject.toml tools/bootstrap
	@PYTHON='$(PYTHON)' tools/bootstrap
	@touch $@

$(PAGE): $(PAGE_SOURCE) tools/page $(READY)
	@tools/page
	@touch $@
