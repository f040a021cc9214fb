# One environment in .venv, made on first use. `make demo` and `make test` set up all they need.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TASK ?= What is the SHA-256 hash, in lowercase hex, of the text 'cedar river delta' (UTF-8, without quotes)?

.PHONY: demo test fast lint setup clean

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/pip install --quiet --editable . --group test
	touch $@

setup: $(VENV)/.installed
	scripts/install-sandbox

# Answers one task with the embedded model, from the library in the user's home.
demo: setup
	scripts/with-engine $(BIN)/yunjue solve "$(TASK)"

test: setup
	scripts/install-browser
	scripts/with-engine scripts/run-tests $(BIN)

fast: $(VENV)/.installed
	$(BIN)/pytest -q

lint: $(VENV)/.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

clean:
	rm -rf $(VENV)
