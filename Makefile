# Every target sets up what it needs; `make help` lists them.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup setup-browser java venv demo demo-stream check test integration soak lint docs bench bench-spark lock audit clean

# The user's other Python must not reach into .venv.
unexport PYTHONHOME PYTHONPATH

ifeq ($(filter oneshell,$(.FEATURES)),)
$(error make 3.82 or newer is needed, this is $(MAKE_VERSION). On macOS: brew install make, then type gmake)
endif

BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest --durations=10
# Two processes, each with a Spark session of its own; a file's tests stay in one of them.
PARALLEL := -n 2 --dist loadfile
PYTEST_ARGS ?=
# The last line of `make setup`; other targets that set up first do not print it.
READY := setup: ready. Next: make demo, or $(BIN)/featurestore init my_project

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: java venv ## create .venv with the locked versions, find Java, fetch Delta's jars and make Java's class-data archive once; PYTHON=... chooses one
	@$(BIN)/python tools/set_up_spark.py
	@$(if $(filter setup,$(MAKECMDGOALS)),echo "$(READY)" >&2)

setup-browser: venv ## find Chromium for the tests of the website, or install it through apt
	@$(BIN)/python tools/install_browser.py

demo: setup ## features, training sets, models and newest values of the three example domains
	@$(BIN)/featurestore demo

demo-stream: setup ## payments that arrive, features seconds later, and a model that scores each one; a minute, or until Ctrl-C
	@$(BIN)/featurestore demo stream

check: lint ## linters, types, layers, then the tests that need no Java and are not slow (3 minutes)
	$(PYTEST) $(PARALLEL) -m "not spark and not slow" $(PYTEST_ARGS)

test: setup lint ## everything: linters, types, layers, then all tests (20 minutes)
	$(PYTEST) $(PARALLEL) $(PYTEST_ARGS)

integration: setup ## new clones on each Python, with and without a C compiler; the wheel with each extra; Spark clusters; retrieval by scan and shuffle (needs a network)
	$(PYTEST) -m integration tests/packaging tests/cluster tests/object_store tests/jobs/continuous tests/integrations $(PYTEST_ARGS)
	$(PYTEST) -m integration tests/client $(PYTEST_ARGS) || test $$? = 5  # 5: PYTEST_ARGS selects other tests
	$(PYTEST) -m integration tests/kafka $(PYTEST_ARGS) || test $$? = 5  # a session of its own, with Kafka's jars

soak: setup ## property tests and worlds on Spark with fifty times the examples, races, reads, crashes; SEED=7 repeats one, SOAK_SHARE=0.1 takes a tenth
	@seed=$${SEED:-$$RANDOM$$RANDOM}; echo "soak of seed $$seed"; HYPOTHESIS_PROFILE=soak \
	  $(BIN)/python -m pytest -m "hypothesis or soak" --hypothesis-seed=$$seed $(PYTEST_ARGS)

lint: venv ## style, types, layers, spelling
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/codespell
	$(BIN)/bandit -q -c pyproject.toml -r featurestore

docs: venv ## the pages of docs/ as a website in build/docs; a broken link stops it
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet --strict -f tools/docs_site/mkdocs.yml
	@echo "open build/docs/index.html" >&2

bench: setup ## every speed and memory target beside its peers; writes docs/benchmarks.md and its chart
	$(BIN)/python -m benchmarks

bench-spark: setup ## training sets on Spark beside other ways, on two cores; writes docs/benchmarks.md and docs/scaling.md
	$(BIN)/python -m benchmarks.spark

lock: venv ## bring requirements-dev.lock in line with pyproject.toml; UPGRADE="--upgrade" takes newest releases
	$(BIN)/uv pip compile -q pyproject.toml --all-extras --group dev --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-header $(UPGRADE) -o requirements-dev.lock

audit: venv ## known vulnerabilities of the locked versions (needs a network)
	$(BIN)/pip-audit --strict --disable-pip --require-hashes -r requirements-dev.lock

clean: ## remove caches and what the demo made; .venv stays
	rm -rf .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage data store site build/docs
	find . -path ./.venv -prune -o -name __pycache__ -type d -exec rm -rf {} +

# First, so that a missing Java is reported before anything is fetched.
java:
	@python=$$(tools/find_python.sh); "$$python" tools/install_java.py

venv:
	@tools/make_venv.sh
