# make demo   the whole thing, with drawings instead of photos: no token, no account, no download
# make run    the bot; needs TELEGRAM_TOKEN in the environment or in .env
# make test   the test suite      make lint   style, types and layers      make bench   the figures
#
# PYTHON=python3.12 chooses the interpreter, EXTRAS=multilingual,postgres adds optional parts,
# ARGS="-k album" goes to pytest. Pip's own variables (PIP_EXTRA_INDEX_URL, …) are honoured.

PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
VENV ?= .venv
EXTRAS ?=
ARGS ?=

BIN := $(VENV)/bin
comma := ,
INSTALLED := $(VENV)/.installed$(subst $(comma),-,$(EXTRAS))
INSTALLED_DEV := $(VENV)/.installed-dev
PIP_INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --quiet -c constraints.txt

.DEFAULT_GOAL := help
.PHONY: help demo run test bench lint format clean

help:
	@sed -n 's/^# \{0,1\}//p;/^$$/q' Makefile

demo: $(INSTALLED)
	$(BIN)/lookalike demo $(if $(ONCE),--once)

run: $(INSTALLED)
	$(BIN)/lookalike bot

test: $(INSTALLED_DEV)
	$(BIN)/python -m pytest --cov --cov-report=term:skip-covered $(ARGS)

bench: $(INSTALLED_DEV)
	$(BIN)/python -m bench $(ARGS)

lint: $(INSTALLED_DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/yamllint --strict -d '{extends: default, rules: {line-length: {max: 110}}}' compose.yaml
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec compose.yaml
	$(BIN)/hadolint Dockerfile
	$(BIN)/shellcheck .ci/run

format: $(INSTALLED_DEV)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) build dist bench/out .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache \
		.import_linter_cache .hypothesis

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Lookalike needs Python 3.11 or newer; say where with make PYTHON=…" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(INSTALLED): pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing what Lookalike needs; the first time this takes a few minutes."
	$(PIP_INSTALL) -e '.$(if $(EXTRAS),[$(EXTRAS)])'
	@touch $@

# Everything the plain install has and more, so `make demo` after `make test` installs nothing.
$(INSTALLED_DEV): pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing what Lookalike and its tests need; the first time this takes a few minutes."
	$(PIP_INSTALL) -e '.[dev$(if $(EXTRAS),$(comma)$(EXTRAS))]'
	@touch $@ $(INSTALLED)
