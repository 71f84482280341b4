# Two commands on a fresh machine: `make demo` and `make test`. Both make the virtual environment themselves.
PY := .venv/bin/python
.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench benchmark clean

help: ## what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## the virtual environment, pinned by constraints.txt
	@scripts/setup

demo: setup ## the sample system recorded, changed, replayed and diffed
	@.venv/bin/seamline demo $(ARGS)

test: setup ## every test
	@$(PY) -m pytest -n 2 --dist worksteal $(ARGS)

check: setup ## lint, format and types
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check
	@.venv/bin/mypy

bench: setup ## the performance suite against its peers (wants wrk and nginx)
	@$(PY) -m bench $(ARGS)

benchmark: setup ## what is found, missed and wrongly said: every variant, 5 seeds (hours; ARGS="--seeds 1 --only 'D*'")
	@PYTHONPATH=tests $(PY) -m benchmark $(ARGS)

clean: ## remove what the other targets made
	rm -rf .venv .typing build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
