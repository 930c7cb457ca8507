# The commands of this project; `make` alone lists them. Each one first sets itself up: a virtual
# environment in .venv with the versions of constraints.txt. Nothing is installed outside this folder.

VENV := .venv
# Windows keeps the programs of an environment elsewhere.
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
PY := $(BIN)/python
READY := $(VENV)/ready
UV := env UV_SYSTEM_CERTS=1 $(PY) -m uv pip
NOTEBOOKS := $(wildcard notebooks/*.ipynb)

# One thread for matrix products: for models as small as ours a second one costs time.
ONE_THREAD := OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 MKL_NUM_THREADS=1
# Programs of .venv come first, also for what a notebook or a plan starts.
OUR_PATH := PATH="$(CURDIR)/$(BIN):$$PATH"
# Runs without a person neither read nor write the person's own Jupyter settings, history, progress.
JUPYTER := $(CURDIR)/$(VENV)/jupyter
NO_HOME := QT_PROGRESS= IPYTHONDIR="$(JUPYTER)/ipython" JUPYTER_CONFIG_DIR="$(JUPYTER)/config" \
	JUPYTER_DATA_DIR="$(JUPYTER)/data" JUPYTER_RUNTIME_DIR="$(JUPYTER)/runtime"
# JupyterLab finds the colours for TissLang there, once they are built.
LAB_EXTENSIONS := $(VENV)/share/jupyter/labextensions/@quantatissu
# No news and no update check: JupyterLab starts without a question and without the network.
LAB_SETTINGS := $(VENV)/share/jupyter/lab/settings
QUIET := {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": false}}
RUN := env $(ONE_THREAD) $(OUR_PATH) $(NO_HOME) $(PY)

.PHONY: help setup lab test test-long coverage mutants fuzz bench peers notebooks book student wheel vscode format lock clean

help:  ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s  %s\n", $$1, $$2 }' Makefile

# ---------------------------------------------------------------------------------- setting up

setup: $(READY) build/labextension.tried  ## make .venv, once (PYTHON=… chooses the interpreter)
	@:

# .venv/ready is written last and names its folder. Where it is absent or names another one, the
# set-up was interrupted or the folder was moved, and .venv is made anew.
ifneq ($(shell test -x $(PY) && cat $(READY) 2>/dev/null),$(CURDIR))
.PHONY: $(READY)
ANEW := yes
endif

# Prints the first interpreter that will do: PYTHON if it was given, else one of those for which
# the pinned packages are built. `_base_executable` looks through an active virtual environment.
define FIND_PYTHON
if [ -n "$$PYTHON" ]; then set -- "$$PYTHON"; before=100
else set -- python3 python3.14 python3.13 python3.12 python3.11 python; before=15; fi
for candidate do
    "$$candidate" -c "
import ensurepip, sys, venv
if not (3, 11) <= sys.version_info < (3, $$before): sys.exit(1)
print(sys._base_executable)" 2>/dev/null && exit
done
found=$$("$$1" --version 2>&1) || found="no $$1"
echo "error: Python 3.11 to 3.14 with its venv module is needed, and here is $$found: install" \
    "python3 and python3-venv (apt), python@3.13 (brew) or one from www.python.org, or name" \
    "yours with PYTHON=…" >&2
exit 1
endef
export FIND_PYTHON PYTHON

# uv installs everything in seconds. Where it does not reach the packages (it does not read pip's
# settings), pip does the same in a minute.
$(READY): pyproject.toml constraints.txt
	@rm -f $(READY)
	@if [ "$(ANEW)" ]; then echo "making .venv …"; \
		python=$$(sh -c "$$FIND_PYTHON") && "$$python" -m venv --clear $(VENV); fi
	@$(PY) -m pip install --quiet --disable-pip-version-check -c constraints.txt uv
	@$(UV) install --python $(PY) -c constraints.txt -b constraints.txt -e '.[all]' \
		|| $(PY) -m pip install --disable-pip-version-check -c constraints.txt -e '.[all]'
	@$(PY) -c 'import matplotlib.font_manager' 2>/dev/null  # lists the fonts now, not in a lesson
	@$(PY) -m compileall -q qt tisslang  # now, not at each start of a sandbox, which may write nothing
	@mkdir -p $(VENV)/jupyter/ipython $(LAB_SETTINGS)
	@echo '$(QUIET)' > $(LAB_SETTINGS)/overrides.json
	@mkdir -p $(LAB_EXTENSIONS) && ln -sfn "$(CURDIR)/build/labextension" $(LAB_EXTENSIONS)/tisslang
	@pwd -P > $(READY)

# The colours of JupyterLab are built anew when a source of theirs changes. Only they need npm and
# its network: without, JupyterLab shows TissLang without colours, and all else works.
NPM := npm --fetch-retries=1 --fetch-retry-mintimeout=1000
BUILD_LAB_EXTENSION = (cd editors/jupyterlab && $(NPM) ci && $(NPM) run build) \
	>build/labextension.log 2>&1

build/labextension.tried: $(wildcard editors/jupyterlab/*.js*) $(wildcard editors/jupyterlab/source/*) \
		tisslang/jupyter/static/colours.js
	@mkdir -p build && rm -rf build/labextension
	@if ! command -v npm >/dev/null; then \
		echo "no npm: JupyterLab will show TissLang without colours"; \
	elif ! $(BUILD_LAB_EXTENSION); then rm -rf build/labextension; \
		echo "npm failed: JupyterLab will show TissLang without colours (build/labextension.log)"; fi
	@touch $@

# ------------------------------------------------------------------------------------- working

# It serves the whole project, so that links from a lesson to the source of qt lead there. Root is a
# container's only user, and JupyterLab wants to be told that this is meant.
lab: setup  ## open JupyterLab on the quickstart (LAB_FLAGS=… for its own options)
	@exec env $(OUR_PATH) $(PY) -m jupyterlab notebooks/00_quickstart.ipynb \
		--ServerApp.root_dir="$(CURDIR)" \
		$$([ "$$(id -u)" != 0 ] || echo --allow-root) $(LAB_FLAGS)

notebooks: setup  ## run every notebook and store its outputs
	@$(RUN) notebooks/execute.py $(NOTEBOOKS)

# What the pages run (formulas, widgets) comes by npm, anew when its lock file changes.
book/node_modules/ready: book/package-lock.json book/.npmrc
	@command -v npm >/dev/null || { \
		echo "error: npm is missing, which fetches what the pages run: install Node.js 20.19 or newer" >&2; \
		exit 1; }
	@echo "fetching what the pages run …"
	@cd book && $(NPM) ci --no-audit --no-fund --loglevel=error >/dev/null && touch node_modules/ready

book: setup book/node_modules/ready  ## build the book: build/book/html/index.html (needs npm)
	@echo "building the book …"
	@$(RUN) -m sphinx -q -b html -W -n --keep-going -c book -d build/book/doctrees . build/book/html
	@echo "the book: build/book/html/index.html"

# What is there already stays; FLAGS=--replace writes it anew.
student: setup  ## copy the notebooks without solutions and outputs into student/, for a class
	@$(PY) notebooks/student.py $(FLAGS)

# With the colours for JupyterLab, which npm builds.
wheel: setup  ## build the wheel into dist/ (needs npm)
	@test -e build/labextension || command -v npm >/dev/null || { \
		echo "error: npm is missing, which builds the colours for JupyterLab:" \
		"install Node.js 20.19 or newer" >&2; exit 1; }
	@test -e build/labextension || $(BUILD_LAB_EXTENSION) || { rm -rf build/labextension; \
		cat build/labextension.log >&2; exit 1; }
	@env HATCH_BUILD_HOOK_ENABLE_CUSTOM=1 $(PY) -m hatchling build -t wheel

vscode:  ## build the extension for VS Code: editors/vscode/dist/tisslang.vsix (needs npm)
	@command -v npm >/dev/null || { \
		echo "error: npm is missing, which builds the extension: install Node.js 20.19 or newer" >&2; \
		exit 1; }
	@cd editors/vscode && $(NPM) ci --silent && $(NPM) run --silent package

format: setup  ## lay out code and notebooks as `make test` wants them
	@$(PY) -m ruff check --fix
	@$(PY) -m ruff format

# ------------------------------------------------------------------------------------ checking

# $(call stage,name,command) says what runs, and then how long it took.
stage = @echo "── $(1)"; start=$$(date +%s); $(2) && echo "── $(1): $$(($$(date +%s) - start)) s"
# By file, because what files share costs time; in their order, because the slowest come first.
PYTEST := $(RUN) -m pytest -n 2 --dist loadfile --no-loadscope-reorder
NBVAL := --nbval --nbval-current-env --nbval-sanitize-with notebooks/nbval_sanitize.cfg \
	--nbval-cell-timeout 600
SLOWEST := $(filter %/09_training.ipynb %/16_scaling.ipynb %/00_quickstart.ipynb %/12_exercises_and_answers.ipynb, \
	$(NOTEBOOKS))
SLOWEST_FIRST = $(SLOWEST) $(filter-out $(SLOWEST),$(NOTEBOOKS))

# pytest comes last, so that its count closes the output; its last line says its own time.
test: setup  ## everything that must hold: ruff, mypy, every notebook, pytest
	$(call stage,ruff check,$(PY) -m ruff check)
	$(call stage,ruff format,$(PY) -m ruff format --check)
	$(call stage,mypy,$(PY) -m mypy)
	$(if $(NOTEBOOKS),$(call stage,notebooks,$(PYTEST) $(NBVAL) $(SLOWEST_FIRST)),@echo "── no notebooks")
	@echo "── pytest"
	@$(PYTEST)

test-long: setup  ## what takes longer: full fuzzing, races, rebuilds
	@$(PYTEST) -m long

coverage: setup  ## how much of qt the tests of qt run
	@$(RUN) -m coverage run --source qt --data-file $(VENV)/coverage -m pytest -q tests/qt
	@$(RUN) -m coverage report --data-file $(VENV)/coverage

# In a temporary copy. mutmut and what it needs come only here; its version decides what is broken.
# ONLY="qt.optim*" breaks some; a module whose tests miss more than a tenth ends with an error.
mutants: setup  ## break qt in 2,600 small ways: which does no test see? (ten minutes)
	@$(UV) install --quiet --python $(PY) -c constraints.txt mutmut==3.8.1 \
		|| $(PY) -m pip install --quiet --disable-pip-version-check -c constraints.txt mutmut==3.8.1
	@$(RUN) tests/mutants.py $(ONLY)

# atheris comes only here, and only for Linux. MINUTES=1 is a short one.
fuzz: setup  ## damaged plans through every part of tisslang, guided by coverage (ten minutes)
	@$(UV) install --quiet --python $(PY) -c constraints.txt atheris==3.0.0 \
		|| $(PY) -m pip install --quiet --disable-pip-version-check -c constraints.txt atheris==3.0.0
	@cd $(VENV) && env MINUTES="$(MINUTES)" $(CURDIR)/$(PY) $(CURDIR)/tests/fuzz_guided.py

# On an idle machine; the table says when it was not. ROWS="decode import" runs some rows.
bench: setup  ## race against PyTorch and others (make peers), into benchmarks/results.json
	@$(RUN) -m benchmarks $(ROWS)

# With pip, which obeys its own settings: the index that PyTorch names for CPUs is given there.
peers: setup  ## install PyTorch and the other references, so that tests/parity is not skipped
	@$(PY) -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[peers]'

# ---------------------------------------------------------------------------------- looking after

lock: setup  ## choose the newest versions for constraints.txt (then mend environment.yml)
	@$(UV) compile --quiet --universal --python-version 3.11 --fork-strategy fewest \
		--no-header --no-annotate --no-emit-package quantatissu \
		--extra all --extra peers pyproject.toml > $(VENV)/lock
	@{ grep '^#' constraints.txt; sed 's/ *;.*//' $(VENV)/lock; } > $(VENV)/constraints.txt
	@mv $(VENV)/constraints.txt constraints.txt

clean:  ## remove .venv, caches and builds; your notebooks and runs stay
	@rm -rf $(VENV) .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist editors/*/node_modules editors/*/dist \
		tests/browser/widget_page/node_modules book/node_modules tests/book/site/node_modules
	@find qt tisslang tests notebooks benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
