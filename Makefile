PYTHON ?= python3
BIN = .venv/bin

poem: .venv/installed  ## train a network on Shakespeare's sonnets, then let it write
	mkdir -p poem
	cd poem && ../$(BIN)/shakegen train sonnets --cell gru
	cd poem && ../$(BIN)/shakegen sample --seed "shall i"

test: .venv/installed-test  ## every check: lint, format, import contract, tests
	@command -v chromedriver > /dev/null || \
	  { echo "the tests of web pages need a browser: apt-get install chromium chromium-driver" >&2; exit 1; }
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports
	$(BIN)/pytest
	KERAS_BACKEND=jax $(BIN)/pytest tests/layers/test_initial_state.py tests/layers/test_nlstm*.py tests/cells/test_layer.py

.venv/installed: setup.cfg pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --editable .
	touch $@

.venv/installed-test: .venv/installed
	$(BIN)/pip install --quiet --editable '.[test]'
	touch $@

clean:  ## remove what make made
	rm -rf .venv build poem *.egg-info

.PHONY: poem test clean
