# From a bare clone: `make demo` runs the main job, `make test` all tests. Needs Python 3.11+, git and make.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# uv resolves and unpacks in a third of pip's time; pip remains where uv does not know the registry
INSTALL = $(BIN)/uv pip install --quiet --python $(BIN)/python $(1) || $(BIN)/python -m pip install --quiet $(1)

.PHONY: demo test check bench format clean

demo: $(VENV)/.train
	$(BIN)/python examples/demo.py

test: $(VENV)/.dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n logical --dist worksteal

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python tests/names.py

bench: $(VENV)/.dev
	$(BIN)/python -m bench

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit("striate needs Python 3.11 or newer, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv || true

$(VENV)/.train: pyproject.toml | $(BIN)/python
	@echo "installing striate with torch (about 5.5 GB, a minute or two) …"
	$(call INSTALL,-e '.[train]')
	@touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	@echo "installing striate with torch and the developers' tools (about 5.8 GB, a minute or two) …"
	$(call INSTALL,-e '.[dev]')
	@touch $@ $(VENV)/.train
