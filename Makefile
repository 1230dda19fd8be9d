# Two commands do all the set-up on a machine with Python 3.11 or newer and make:
#   make book    builds the course          make test    passes its tests
# Everything lands in .venv and _build; `make clean` removes both.

PYTHON ?= python3
VENV := .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
RUN := $(BIN)/python
INSTALL := $(BIN)/uv pip install --python $(VENV) --constraint requirements.lock --build-constraint requirements.lock
LESSONS := $(wildcard notebooks/*.ipynb)
SOLUTIONS := $(wildcard notebooks/solutions/*.ipynb)
# What `make test` does, in this order; each is a target of its own.
STEPS := lint unit lessons solutions exercises hygiene claims badges pages

.DEFAULT_GOAL := help
.PHONY: help book test lab execute serve bench colab test-pythons test-backends packages lock clean browser $(STEPS)
.DELETE_ON_ERROR:

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|' 2>/dev/null \
	  || grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST)

# ---- set-up: each stamp is newer than the lock once its packages are installed --------------

$(VENV)/made: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "The course needs Python 3.11 or newer; this is $$($(PYTHON) --version). Try: make PYTHON=python3.12 ..."; exit 1; }
	@echo "== Making $(VENV)"
	@test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	@sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > $(VENV)/uv.txt
	@$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes -r $(VENV)/uv.txt
	@touch $@

# The stored outputs are rendered, so building the pages needs no TensorFlow.
$(VENV)/book: $(VENV)/made pyproject.toml
	@echo "== Installing what the pages need"
	@$(INSTALL) $$($(RUN) -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["book"])')
	@touch $@

$(VENV)/test: $(VENV)/made pyproject.toml
	@echo "== Installing what the tests need"
	@$(INSTALL) --editable '.[book,test]'
	@touch $@ $(VENV)/book

$(VENV)/lab: $(VENV)/made pyproject.toml
	@echo "== Installing JupyterLab"
	@$(INSTALL) --editable '.[lab]'
	@touch $@

$(VENV)/maintain: $(VENV)/test
	@$(INSTALL) --editable '.[maintain]'
	@touch $@

# ---- what a reader runs ----------------------------------------------------------------------

book: $(VENV)/book ## build the pages of the course
	@$(BIN)/jupyter-book build . -W -n --keep-going
	@echo "The course is built. Open: file://$(CURDIR)/_build/html/index.html"

test: $(VENV)/test ## run all tests
	@for step in $(STEPS); do \
	  echo; echo "== $$step"; start=$$(date +%s); \
	  $(MAKE) --no-print-directory $$step || { echo "== $$step FAILED: run 'make $$step' to see it alone"; exit 1; }; \
	  echo "== $$step passed in $$(($$(date +%s) - start)) s"; \
	done
	@echo; echo "All steps passed: $(STEPS)"

lab: $(VENV)/lab ## open JupyterLab on the first lesson
	@$(RUN) -m jupyter lab notebooks/01-images-as-arrays.ipynb

serve: book ## show the built book on localhost
	@echo "Serving on http://localhost:8000 (stop with Ctrl-C)"
	@$(RUN) -m http.server 8000 --bind localhost --directory _build/html

execute: $(VENV)/test ## run every notebook anew and store its outputs
	@$(RUN) -m cnncourse.authoring execute
	@$(RUN) -m cnncourse.authoring exercises

bench: book $(VENV)/test browser ## measure speeds, as ratios in one run
	@$(RUN) tests/bench/ops_speed.py
	@$(RUN) tests/bench/explorer_speed.py
	@$(RUN) tests/bench/network_speed.py
	@$(RUN) tests/bench/training_speed.py

colab: $(VENV)/maintain ## run every notebook as Colab would (NOTEBOOKS=... for some of them)
	@$(RUN) tests/environments/colab.py $(NOTEBOOKS)

test-pythons: $(VENV)/maintain ## run tests and notebooks on every supported Python
	@$(RUN) tests/environments/pythons.py $(PYTHONS)

test-backends: $(VENV)/maintain ## ask both networks on every backend of Keras (BACKENDS=... for some)
	@$(RUN) tests/environments/backends.py $(BACKENDS)

packages: $(VENV)/maintain ## install wheel and source distribution into empty environments
	@$(RUN) tests/environments/packages.py

lock: $(VENV)/maintain ## fix the newest versions and their hashes in requirements.lock
	@$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --all-extras \
	  --generate-hashes --no-emit-index-url --custom-compile-command "make lock" \
	  pyproject.toml --output-file requirements.lock

clean: ## remove everything that make has made
	rm -rf $(VENV) $(VENV)-* _build

# ---- the steps of `make test` ----------------------------------------------------------------

lint: $(VENV)/test
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

unit: $(VENV)/test browser
	@$(RUN) -m pytest -n 2 -q --doctest-modules cnncourse
	@$(RUN) -m pytest -n 2 --dist loadfile -q -rs tests --ignore tests/book --ignore tests/bench

lessons: $(VENV)/test
	@$(RUN) -m pytest -n 2 --dist loadfile -q --nbval --nbval-cell-timeout 300 -p no:cacheprovider $(LESSONS)

solutions: $(VENV)/test
	@$(MAKE) --no-print-directory -j 2 $(SOLUTIONS:notebooks/solutions/%.ipynb=solved-%)

solved-%:
	@$(RUN) -m papermill --no-progress-bar --log-level WARNING --cwd notebooks/solutions notebooks/solutions/$*.ipynb $(VENV)/solution-$*.ipynb
	@echo "notebooks/solutions/$*.ipynb runs"

exercises: $(VENV)/test
	@$(RUN) -m cnncourse.authoring exercises --check
	@$(RUN) -m cnncourse.authoring exercises --run

hygiene claims: $(VENV)/test
	@$(RUN) -m cnncourse.authoring $@

badges: $(VENV)/test
	@$(RUN) -m cnncourse.authoring badges --check

pages: book browser
	@$(RUN) -m pytest -n 2 -q -rs tests/book

# The tests of the pages drive a real browser: one that is here, or Debian's where it may be installed.
browser:
	@command -v chromium chromium-browser google-chrome >/dev/null 2>&1 \
	  || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null \
	       && echo "== Installing Debian's chromium" && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; } \
	  || echo "No Chromium found (chromium, chromium-browser, google-chrome): the tests of the pages will NOT run."
