# Two commands matter: `make demo` and `make test`. Both set everything up by themselves
# (virtual environment, torch as fits the machine, the project, the embedded weights) and are
# quick when repeated.
#
#   PYTHON       interpreter for the virtual environment (>= 3.11; found by itself if unset)
#   VENV         folder of the virtual environment (default .venv)
#   TORCH_INDEX  index URL to take torch from (for PyTorch's own CPU or CUDA wheels)
#   DEMO_ARGS    flags for `domainsmith demo` (--quick, --language zh, ...)

PYTHON ?= python3
VENV ?= .venv
TORCH_INDEX ?=
DEMO_ARGS ?=
RUN := $(VENV)/bin

.PHONY: setup demo test lint types contracts unit reliability coverage reference clean help

help:
	@sed -n 's/^# \{0,1\}//p' Makefile | head -n 9

setup:
	@$(PYTHON) scripts/bootstrap.py --venv $(VENV) $(if $(TORCH_INDEX),--torch-index $(TORCH_INDEX))

demo: setup
	$(RUN)/domainsmith demo --yes $(DEMO_ARGS)

test: setup lint types contracts reference unit reliability

lint:
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .

types:
	$(RUN)/mypy

contracts:
	$(RUN)/lint-imports

reference:
	$(RUN)/python scripts/generate_command_reference.py --check
	$(RUN)/python scripts/generate_settings_reference.py --check
	$(RUN)/python scripts/generate_file_tree.py --check

# Two processes of one thread each: a small model gains less from its second thread.
unit:
	OMP_NUM_THREADS=1 $(RUN)/python -m pytest -n 2 --dist loadfile

coverage: setup
	$(RUN)/python -m pytest --cov --cov-report=term

reliability:
	$(RUN)/python -m reliability ci

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .coverage .domainsmith-demo*
