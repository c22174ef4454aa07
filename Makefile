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
	$(BIN)/sphinx-build -E -a -W -n --quiet -c docs -d build/doctrees . build/site

links: .venv/installed-docs  ## the links of the site to other sites
	$(BIN)/sphinx-build -a -n --quiet -b linkcheck -c docs -d build/doctrees . build/links

notebooks: .venv/installed-docs  ## the tutorials as notebooks, in build/notebooks
	$(BIN)/python docs/site/notebooks.py build/notebooks

benchmarks: .venv/installed-test browser  ## what is missing of build/benchmarks, for nine minutes; again, and it goes on
	$(BIN)/python benchmarks/all.py

kills: .venv/installed-test  ## kill a run 100 times at random moments, and resume it exactly
	$(BIN)/python tests/kills.py 100 0

models: .venv/installed  ## the pretrained models of models/README.md that are missing, with their figures
	$(BIN)/python benchmarks/models.py

fuzz: .venv/installed-test  ## read 20,000 mutated model files: each must load or be refused
	$(BIN)/python tests/fuzzing.py

dist: .venv/installed-dist  ## a wheel and a source archive in dist/, checked, installed elsewhere and tried
	rm -rf dist build/elsewhere
	$(BIN)/python -m build
	$(BIN)/python tests/distribution.py dist/*
	$(BIN)/twine check --strict dist/*
	$(PYTHON) -m venv build/elsewhere
	build/elsewhere/bin/pip install --quiet dist/*.whl
	cd build && elsewhere/bin/python -P ../tests/smoke.py

lock: .venv/installed-dist  ## constraints.txt: the newest versions of all dependencies, for CI
	$(BIN)/uv pip compile setup.cfg --all-extras --universal --python-version 3.11 --upgrade --no-header --no-emit-index-url --no-annotate \
	  --quiet --output-file constraints.txt

.venv/installed: setup.cfg pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --editable '.[plot,subword]'
	touch $@

.venv/installed-test: .venv/installed
	$(BIN)/pip install --quiet --editable '.[test]'
	touch $@

.venv/installed-docs: .venv/installed
	$(BIN)/pip install --quiet --editable '.[docs]'
	touch $@

.venv/installed-dist: .venv/installed
	$(BIN)/pip install --quiet --editable '.[dist]'
	touch $@

browser:  # web pages are tested in Chromium; Selenium Manager fetches what is not here
	@command -v chromedriver > /dev/null || \
	  { [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null && \
	    echo "There is no chromedriver: installing chromium and chromium-driver with apt-get." >&2 && \
	    apt-get update --quiet && \
	    DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --no-install-recommends chromium chromium-driver; } || \
	  echo "There is no chromedriver: Selenium Manager fetches one, and Chrome if need be, when a page is tested." >&2

clean:  ## remove what make made
	rm -rf .venv build dist poem *.egg-info docs/reference/commands docs/reference/python examples/models \
	  .pytest_cache .ruff_cache .hypothesis .import_linter_cache .mypy_cache

.NOTPARALLEL:  # one pip at a time in .venv
.PHONY: poem test docs links notebooks benchmarks kills models fuzz dist lock browser clean
