# Everything that is done often, each by one word: `make help` lists them.

# The oldest Python that will do is 3.11; the first of these that is new enough is taken.
PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11,$(shell \
	command -v $(name) >/dev/null && $(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $(name))))
WORKERS ?= 2
ARGS ?=

# Where this is set, as in many containers, each process would compile some 2,000 modules anew.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
# uv itself is kept beside its own cache, so that a new .venv can be filled without a network.
KEPT_UV := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/pointsbank/$(shell cat requirements/setup.in)

.DEFAULT_GOAL := help
.PHONY: help demo test check prove lock vendor screenshots bench clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.run ## set up and serve the demonstration district
	@$(PY) -m pointsbank demo $(ARGS)

test: $(VENV)/.dev ## run the whole suite on SQLite and on PostgreSQL (ARGS="-k scan" picks)
	@$(PY) -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

check: $(VENV)/.dev ## what CI runs: style, types, import contracts, then the tests
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy --strict pointsbank
	$(PY) $(BIN)/lint-imports
	@$(MAKE) --no-print-directory test

prove: $(VENV)/.dev ## model and faults for hours, resumable (ARGS="--hours 1", "--parts model")
	@$(PY) -m proving $(ARGS)

lock: $(VENV)/.made ## resolve the requirements anew, with hashes and without any index address
	$(call compile,requirements/setup.in,requirements/setup.txt)
	$(call compile,pyproject.toml,requirements/run.txt)
	$(call compile,pyproject.toml --extra test --extra browser --extra bench \
		--constraint requirements/run.txt,requirements/dev.txt)

vendor: $(VENV)/.run ## fetch the front end's vendored files anew
	$(PY) tools/vendor.py

screenshots: $(VENV)/.dev ## take the pictures in docs/images anew
	$(PY) -m tools.screenshots

bench: $(VENV)/.dev ## measure the hot calls and the ledger, and print the ratios
	@for script in check_in redeem ledger passbook verify event rankings; do $(PY) -m bench.$$script $(ARGS) || exit 1; done

clean: ## remove what was installed and cached here; databases in instance/ stay
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

define compile
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header $(1) --output-file $(2)
endef

# What is cached needs no network; only what is not is asked for.
define install
	@echo "Installing $(1)"
	@if [ -x $(BIN)/uv ]; then \
		$(BIN)/uv pip install --python $(PY) --quiet --offline --require-hashes -r $(1) 2>/dev/null \
		|| $(BIN)/uv pip install --python $(PY) --quiet --require-hashes -r $(1); \
	else \
		$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r $(1); \
	fi
endef

$(VENV)/.made: requirements/setup.txt
	@[ -n "$(PYTHON)" ] || { echo "Python 3.11 or newer is needed." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
		|| { echo "Python's venv module is needed (Debian: python3-venv)." >&2; exit 1; }
	@if [ -x "$(KEPT_UV)" ]; then \
		cp "$(KEPT_UV)" $(BIN)/uv; \
	elif $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r $<; then \
		mkdir -p "$(dir $(KEPT_UV))" && cp $(BIN)/uv "$(KEPT_UV)" || true; \
	else \
		echo "uv is not to be had; pip does the same, more slowly."; \
	fi
	@$(PY) -c 'import pathlib, sysconfig; \
		pathlib.Path(sysconfig.get_path("purelib"), "pointsbank.pth").write_text(f"{pathlib.Path.cwd()}\n")'
	@printf '#!/bin/sh\nexec "$$(dirname "$$0")/python" -m pointsbank "$$@"\n' > $(BIN)/pointsbank
	@chmod +x $(BIN)/pointsbank
	@touch $@

$(VENV)/.run: requirements/run.txt $(VENV)/.made
	$(call install,$<)
	@touch $@

# The requirements for tests hold those for running: after them there is nothing left to install.
$(VENV)/.dev: requirements/dev.txt requirements/run.txt $(VENV)/.made
	$(call install,$<)
	@touch $(VENV)/.run $@
