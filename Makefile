PYTHON ?= python3
BIN = .venv/bin

poem: .venv/installed  ## train a network on Shakespeare's sonnets, then let it write
	mkdir -p poem
	cd poem && ../$(BIN)/shakegen train sonnets --cell gru
	cd poem && ../$(BIN)/shakegen sample --seed "shall i"

test: .venv/installed-test browser  ## every check: lint, format, import contracts, types, tests
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(MAKE) docs
	$(BIN)/pytest
	KERAS_BACKEND=jax $(BIN)/pytest tests/layers/test_initial_state.py tests/layers/test_nlstm*.py tests/layers/test_extended_cell.py tests/cells/test_layer.py \
	  tests/network/test_keras_steps.py

docs: .venv/installed-docs  ## the site, in build/site/index.html; warnings are errors
	$(BIN)/sphinx-build -a -W --keep-going -n --quiet -c docs -d build/doctrees . build/site

notebooks: .venv/installed-docs  ## the tutorials as notebooks, in build/notebooks
	$(BIN)/python docs/site/notebooks.py build/notebooks

kills: .venv/installed-test  ## kill a run 100 times at random moments, and resume it exactly
	$(BIN)/python tests/kills.py 100 0

fuzz: .venv/installed-test  ## read 20,000 mutated model files: each must load or be refused
	PYTHONPATH=tests $(BIN)/python tests/fuzzing.py

.venv/installed: setup.cfg pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --editable '.[plot]'
	touch $@

.venv/installed-test: .venv/installed
	$(BIN)/pip install --quiet --editable '.[test]'
	touch $@

.venv/installed-docs: .venv/installed
	$(BIN)/pip install --quiet --editable '.[docs]'
	touch $@

browser:  # web pages are tested in Chromium; Selenium Manager fetches what is not here
	@command -v chromedriver > /dev/null || \
	  { [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null && \
	    echo "There is no chromedriver: installing chromium and chromium-driver with apt-get." >&2 && \
	    apt-get update --quiet && \
	    DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --no-install-recommends chromium chromium-driver; } || \
	  echo "There is no chromedriver: Selenium Manager fetches one, and Chrome if need be, when a page is tested." >&2

clean:  ## remove what make made
	rm -rf .venv build poem *.egg-info docs/reference/commands docs/reference/python

.PHONY: poem test docs notebooks kills fuzz browser clean
