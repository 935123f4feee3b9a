# Every target sets up what it needs; `make help` lists them.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup demo test soak lint bench lock clean

BIN := .venv/bin
PYTEST_ARGS ?=

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/.installed ## create .venv with the locked versions, find Java, fetch Delta's jars once
	@$(BIN)/python tools/set_up_spark.py

demo: setup ## features, training sets, models and newest values of the three example domains
	@$(BIN)/featurestore demo

test: lint ## everything: linters, types, layers, then all tests
	$(BIN)/python -m pytest $(PYTEST_ARGS)

soak: setup ## property tests and worlds on Spark with fifty times the examples; SEED=7 repeats one
	@seed=$${SEED:-$$RANDOM$$RANDOM}; echo "soak of seed $$seed"; HYPOTHESIS_PROFILE=soak \
	  $(BIN)/python -m pytest -m hypothesis --hypothesis-seed=$$seed $(PYTEST_ARGS)

lint: setup ## style, types, layers, spelling
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/codespell

bench: setup ## every speed and memory target beside its peers; writes docs/benchmarks.md and its chart
	$(BIN)/python -m benchmarks

lock: .venv/.locked ## resolve pyproject.toml anew into requirements-dev.lock
	$(BIN)/uv pip compile -q pyproject.toml --all-extras --group dev --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-header -o requirements-dev.lock

clean: ## remove caches and what the demo made; .venv stays
	rm -rf .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage data store
	find . -path ./.venv -prune -o -name __pycache__ -type d -exec rm -rf {} +

.venv/.locked: requirements-dev.lock tools/make_venv.sh
	@tools/make_venv.sh
	@touch $@

.venv/.installed: .venv/.locked pyproject.toml tools/compile_loops.py featurestore/engines/kernel/native/loops.c
	@$(BIN)/python -m pip install -q --no-deps --no-build-isolation -e .
	@touch $@
