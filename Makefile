# Holdfast. `make help` lists the targets.
SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2
SEEDS ?= 10000
EXAMPLES ?= 100000

.PHONY: help demo run install test check fuzz simulate simulate-bugs chaos killpoints bench tour clean
.DEFAULT_GOAL := help

##@ Use it
demo: $(VENV)/.runtime $(VENV)/.static ## Three sandbox exchanges, a demo user, web + worker + beat: look at it in a minute
	@exec $(BIN)/python deploy/demo.py

run: $(VENV)/.runtime $(VENV)/.static ## The application with your own exchanges; the first visitor becomes the owner
	@exec $(BIN)/python manage.py serve

install: $(VENV)/.runtime ## .venv with the locked requirements, nothing else

##@ Work on it
test: $(VENV)/.develop $(VENV)/.browser ## Everything that is tested, with the browser where it can be installed
	@$(BIN)/pytest -n $(WORKERS) -m "not browser and not slow" tests
	@$(BIN)/pytest -m browser tests

check: $(VENV)/.develop ## ruff, mypy, djade, import-linter, Django's deploy check, migrations complete, rebuild
	@echo "ruff"; $(BIN)/ruff check . && $(BIN)/ruff format --check -q .
	@echo "mypy"; $(BIN)/mypy --cache-dir=/dev/null .
	@echo "djade"; git ls-files 'templates/*.html' | xargs $(BIN)/djade --target-version 5.2 --check
	@echo "import-linter"; $(BIN)/lint-imports --no-cache
	@echo "deploy check"; DATA_DIR=$$(mktemp -d) HTTPS=on ALLOWED_HOSTS=holdfast.example $(BIN)/python manage.py check --deploy --fail-level WARNING
	@echo "migrations"; DATA_DIR=$$(mktemp -d) $(BIN)/python manage.py makemigrations --check --dry-run
	@echo "rebuild"; $(BIN)/python -m deploy.rebuilt

chaos: $(VENV)/.develop ## Kill web, worker, beat, broker and database at random (SECONDS=120); the ledger must stay true
	@$(BIN)/python -m tests.chaos --seconds $(or $(SECONDS),120)

killpoints: $(VENV)/.develop ## Kill one sync at every write to the disk (strace); the next one must make the ledger true
	@$(BIN)/python -m tests.chaos.killpoints $(if $(POINTS),--most $(POINTS))

tour: $(VENV)/.develop ## Write docs/tour.md afresh from the modules
	@$(BIN)/python deploy/tour.py

simulate: $(VENV)/.develop ## The sync pipeline under SEEDS=10000 seeded histories of faults, on all cores
	@$(BIN)/python -m tests.simulation --seeds $(SEEDS)

fuzz: $(VENV)/.develop ## EXAMPLES=100000 mutated answers of each exchange, on all cores: exact, set aside, or refused
	@$(BIN)/python -m tests.fuzz --examples $(EXAMPLES)

simulate-bugs: $(VENV)/.develop ## How many of SEEDS=500 seeds (and of FURTHER=…, where fewer than two) catch each planted bug
	@$(BIN)/python -m tests.simulation --bugs --seeds $(if $(filter command line,$(origin SEEDS)),$(SEEDS),500) $(if $(FURTHER),--further $(FURTHER))

bench: $(VENV)/.develop ## All benchmarks: ratios within one run
	@for each in benchmarks/[a-z]*.py; do echo "== $$each"; $(BIN)/python $$each || exit 1; done

clean: ## Remove what was installed and built; your data stays
	rm -rf $(VENV) node_modules staticfiles .mypy_cache .ruff_cache .pytest_cache .hypothesis

##@ Help
help: ## This list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/uv: requirements-uv.txt
	@echo "Making the environment in $(VENV) …"
	@test -n "$(PYTHON)" && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-uv.txt
	@touch $@

$(VENV)/.runtime: requirements.txt $(BIN)/uv
	@echo "Installing the locked requirements …"
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install -q --require-hashes -r requirements.txt
	@touch $@

$(VENV)/.develop: requirements-dev.txt $(VENV)/.runtime
	@echo "Installing what the tests need …"
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install -q --require-hashes -r requirements-dev.txt
	@touch $@

# The small Plotly bundle is a bonus: without npm the Python package's full one is served.
$(VENV)/.static: package-lock.json $(VENV)/.runtime $(shell find static -type f)
	@echo "Collecting the static files …"
	@if command -v npm >/dev/null; then npm ci --ignore-scripts --no-audit --no-fund --silent >/dev/null 2>&1 || true; fi
	@keys=$$(mktemp -d) && DATA_DIR=$$keys $(BIN)/python manage.py collectstatic --no-input --clear --verbosity 0; done=$$?; rm -rf $$keys; exit $$done
	@touch $@

# Debian's chromium for the browser tests, where we may install it; else those tests are skipped and say so.
$(VENV)/.browser: $(VENV)/.develop $(VENV)/.static
	@if ! command -v chromium >/dev/null && command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
		echo "Installing chromium …"; \
		(apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium) >/dev/null 2>&1 \
			|| echo "chromium could not be installed: the browser tests will be skipped."; \
	fi
	@touch $@
