# The verbs of the house; `make help` lists them. Paths may hold spaces: every one is quoted or relative.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PROFILE ?= tiny
DATA ?= embedded
SEED ?= 0
SEEDS ?= 5
CORES ?=
PYTHON ?= python3
TORCH_INDEX ?=
TESTS ?= tests
PROOF := tests/test_whole_book.py

# A misspelt variable would be ignored and the default built instead: refuse it.
VARIABLES := PROFILE DATA SEED SEEDS CORES PYTHON TORCH_INDEX TESTS
GIVEN := $(foreach v,$(.VARIABLES),$(if $(filter command,$(word 1,$(origin $v))),$v))
UNKNOWN := $(filter-out $(VARIABLES),$(GIVEN))
ifneq ($(UNKNOWN),)
NEAR := $(shell $(PYTHON) -c "import difflib, sys; n = difflib.get_close_matches(sys.argv[1].upper(), sys.argv[2:], 1, 0.5); print('the nearest one is ' + repr(n[0]) if n else 'it must be one of ' + ', '.join(sys.argv[2:]))" $(firstword $(UNKNOWN)) $(VARIABLES))
$(error Unknown variable '$(firstword $(UNKNOWN))': $(NEAR))
endif

BIN := .venv/bin
EDITION = --profile "$(PROFILE)" --data "$(DATA)" --seed "$(SEED)"

.PHONY: help book pdf claims lighter beyond scale readings test proof bench trust lab lint clean

help: ## list these verbs
	@sed -n 's/^\([a-z]*\):[^#]*## /  make \1\t/p' Makefile | expand -t 16
	@echo; echo "  PROFILE=smoke|tiny|paper  DATA=embedded|FOLDER (COCO layout)  SEED=0  SEEDS=5  CORES=all"

book: .venv/.installed ## make the data, train, run every chapter, render the site (PROFILE, DATA, SEED, CORES)
	@"$(BIN)/python" -m hgnb_book.cli book $(EDITION) $(if $(CORES),--cores "$(CORES)")

pdf: book ## print the whole book as one PDF, site/book.pdf (PROFILE, DATA, SEED, CORES; needs Chromium)
	@"$(BIN)/python" -m hgnb_book.cli pdf

RECORD = @"$(BIN)/python" -m hgnb_book.cli record $(1) --profile "$(PROFILE)" --data "$(DATA)" --first-seed "$(SEED)" --seeds "$(SEEDS)" $(if $(CORES),--jobs "$(CORES)")

claims: .venv/.installed ## train the chain and its controls for several seeds, record what they show, judge the claims on it (SEEDS, PROFILE, DATA, SEED, CORES)
	$(call RECORD,chain)
	@"$(BIN)/python" -m hgnb.cli claims --profile "$(PROFILE)" --data "$(DATA)" --keep

lighter: .venv/.installed ## train chapter 06's networks and record what they show (SEEDS, PROFILE, DATA, SEED, CORES)
	$(call RECORD,lighter)

beyond: .venv/.installed ## train chapter 07's changes and record what they show (SEEDS, PROFILE, DATA, SEED, CORES)
	$(call RECORD,beyond)

scale: .venv/.installed ## record the chain at eight other sizes for chapter 08 (SEEDS, PROFILE, DATA, SEED, CORES)
	$(call RECORD,scale)

readings: .venv/.installed ## record the chain under every reading of the sources for chapter 08 (SEEDS, PROFILE, DATA, SEED, CORES)
	$(call RECORD,readings)

# One thread a process: two trainings with two threads each are slower than one after the other. More processes than two
# cores, since builds and browsers often wait.
test: .venv/.installed ## run every test that builds no whole book (TESTS=tests/test_x.py for one file)
	OMP_NUM_THREADS=1 "$(BIN)/python" -m pytest -n 3 --dist worksteal $(if $(filter tests,$(TESTS)),--ignore $(PROOF)) "$(TESTS)"

proof: .venv/.installed ## build whole books from nothing, of drawn persons and of photographs, and look at every page as readers do
	OMP_NUM_THREADS=1 "$(BIN)/python" -m pytest -n 4 --dist worksteal $(PROOF)

# What is done to the book on purpose, with what these need, and what has to be told a folder; `make bench` leaves both.
APART := $(patsubst %,benchmarks/%.py,fuzz mutants covered load twice kill mutations sameness annotations gap)

bench: .venv/.installed ## measure speed and accuracy on this machine
	@for script in $(filter-out $(APART),$(wildcard benchmarks/*.py)); do echo "== $$script"; "$(BIN)/python" "$$script" || exit 1; done

trust: .venv/.installed ## damage it, kill it, build it twice, load it, mutate it: some hours, recorded in benchmarks/results
	@for script in fuzz mutants covered load twice kill; do echo "== $$script"; "$(BIN)/python" benchmarks/$$script.py || exit 1; done

lab: .venv/.installed ## open the chapters in JupyterLab
	"$(BIN)/python" -m jupyterlab notebooks

lint: .venv/.installed ## check style and types, and that no notebook carries outputs
	"$(BIN)/python" -m ruff check .
	"$(BIN)/python" -m ruff format --check .
	"$(BIN)/python" -m mypy
	@for notebook in notebooks/*.ipynb; do [ -e "$$notebook" ] || continue; \
	  "$(BIN)/python" -m nbstripout --keep-id --verify "$$notebook" || { echo "$$notebook carries outputs: run '.venv/bin/nbstripout --keep-id $$notebook'."; exit 1; }; done

clean: ## remove what a build made, except trained runs, datasets and .venv
	rm -rf _build site site.old book/_executed data/stamps data/build.log data/render.log .snakemake
	@echo "Kept: data/ (runs and datasets) and .venv; remove these folders by hand to start from nothing."

# torch first and alone: it is the one package whose build (CPU, CUDA) is chosen, by TORCH_INDEX
.venv/.installed: pyproject.toml constraints.txt
	@"$(PYTHON)" -c "import sys; sys.exit(sys.version_info < (3, 11))" || { echo "Python 3.11 or newer is needed (PYTHON=python3.12, say)."; exit 1; }
	@echo "Setting up .venv, once; this takes some minutes."
	@[ -x "$(BIN)/python" ] || "$(PYTHON)" -m venv .venv
	@"$(BIN)/python" -m pip install -qq --no-input -c constraints.txt $(if $(TORCH_INDEX),--index-url "$(TORCH_INDEX)") torch==2.13.0
	@"$(BIN)/python" -m pip install -qq --no-input -c constraints.txt -e ".[book,dev]"
	@touch $@
