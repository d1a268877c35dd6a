# The two commands: `make run` and `make test`. Everything they need is set up on the way.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8501

.PHONY: run test lint bench bench-routing clean

run: $(VENV)/.installed
	@$(BIN)/python -m lastmile serve --port $(PORT)

test: $(VENV)/.installed-tests lint
	@sh tests/find_browser.sh $(BIN)
	$(BIN)/python -m pytest -q -n 2 --dist loadgroup

lint: $(VENV)/.installed-tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

bench: $(VENV)/.installed-tests
	$(BIN)/python -m bench

# Options: make bench-routing WITH="--quick", or --seconds 1 3 10 60, --instances FILE …, --engines ours pyvrp
bench-routing: $(VENV)/.installed-tests
	$(BIN)/python -m bench.routing $(WITH)

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Lastmile needs Python 3.11 or newer. Install it and try again, or name it: make run PYTHON=/path/to/python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "Python could not make an environment. On Debian and Ubuntu: apt install python3-venv"; exit 1; }

$(VENV)/.installed: requirements.txt | $(VENV)/bin/python
	@echo "Installing what the tower needs (once) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.installed-tests: tests/requirements.txt $(VENV)/.installed
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	@touch $@

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis test-results
