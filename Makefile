# Two commands matter: `make run` and `make test`. Both need only make and Python 3.11 or newer.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: help run test check lint format types lock bench clean distclean

help:  ## Show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 18

run: $(VENV)/.installed  ## Start everything on this machine (PORT=8000, DEMO=0 leaves the demo records out)
	@$(BIN)/python manage.py up --demo --with-parent

test: $(VENV)/.installed-dev  ## Run every test that this machine allows, and say what was skipped
	@$(BIN)/python -m tests.run $(ARGS)

check: $(VENV)/.installed-dev  ## Run the fast checks: format, lint, types, templates, Django's own
	@$(BIN)/python -m tests.checks

lint: $(VENV)/.installed-dev  ## Lint code and templates
	@$(BIN)/ruff check .
	@$(BIN)/djlint templates --lint --quiet

format: $(VENV)/.installed-dev  ## Format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix --quiet .

types: $(VENV)/.installed-dev  ## Check the types
	@$(BIN)/mypy segmentation_crm accounts segments campaigns scoring

lock:  ## Write the locks from requirements*.in (maintainers; needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
		--quiet requirements.in -o requirements.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
		--quiet requirements-dev.in -o requirements-dev.txt

bench: $(VENV)/.installed-dev  ## Measure against the budgets
	@if [ -d tests/benchmarks ]; then $(BIN)/python -m tests.benchmarks $(ARGS); \
	else echo "There are no benchmarks yet."; fi

clean:  ## Remove caches; keeps data and the virtual environment
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis staticfiles test-artifacts
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

distclean: clean  ## Remove the virtual environment too (the data in var/ stays)
	rm -rf $(VENV)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 …"; exit 1; }
	@$(PYTHON) -m venv $(VENV)

# The stamps make the second start fast: nothing is installed unless a lock is newer.
$(VENV)/.installed: requirements.txt | $(BIN)/python
	@echo "Installing the requirements into $(VENV) …"
	@$(PIP) install --require-hashes -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	@echo "Installing what tests need into $(VENV) …"
	@$(PIP) install --require-hashes -r requirements-dev.txt
	@touch $@
