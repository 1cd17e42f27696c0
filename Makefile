# Everything is installed by the targets themselves: packages into .venv with locked hashes,
# a Chromium, Chinese fonts and (for the tests) PostgreSQL through .ci/setup.
PYTHON ?= python3
BIN := .venv/bin
PARTS := desk runs leads others
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: run test $(addprefix test-,$(PARTS)) test-shops lint format lock bench clean

run: .venv/run
	$(BIN)/vapewatch demo $(if $(HEADLESS),--once)

# Side by side, more of them than cores: they wait for servers and browsers half of the time.
TAKEDOWNS := tests/takedowns
# What comes in and goes out, and what people see of it.
desk := $(addprefix $(TAKEDOWNS)/,channels desk handing_over imports papers replies reports)
# What crawls bring, and where it is kept.
runs := $(addprefix $(TAKEDOWNS)/,crawling evidence learning ledger sample_market simulation)
leads := $(wildcard $(TAKEDOWNS)/test_*.py)
others := tests $(addprefix --ignore=,$(TAKEDOWNS) tests/shops/evershop)

test: .venv/test var/replay/installed lint
	$(MAKE) --no-print-directory -j4 --output-sync=target $(addprefix test-,$(PARTS))

$(addprefix test-,$(PARTS)): test-%: .venv/test var/replay/installed
	$(BIN)/python -m pytest -q $($*)

# A replay tool for WARC files that is not ours, apart from our packages: it wants much older ones.
var/replay/installed: tests/crawlers/replay/requirements.lock | .venv/test
	$(BIN)/python -m venv var/replay
	var/replay/bin/pip install -q --require-hashes -r $<
	touch $@

# A shop drawn by scripts. Not a part of `make test`: 460 MB of npm packages, and minutes of a browser.
test-shops: .venv/test var/evershop/node_modules/.package-lock.json
	$(BIN)/python -m pytest -q tests/shops/evershop

var/evershop/node_modules/.package-lock.json: $(addprefix tests/shops/evershop/,package.json package-lock.json .npmrc)
	.ci/setup node
	mkdir -p var/evershop
	cp $^ var/evershop
	cd var/evershop && npm ci --no-progress
	touch $@

lint: .venv/test
	$(BIN)/ruff check -q .
	$(BIN)/ruff format -q --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/test
	$(BIN)/ruff check -q --fix .
	$(BIN)/ruff format -q .

lock: .venv/test
	$(BIN)/uv pip compile -q pyproject.toml --universal --generate-hashes --no-emit-index-url --no-header -o requirements.lock
	$(BIN)/uv pip compile -q pyproject.toml --extra images --universal --generate-hashes --no-emit-index-url --no-header -c requirements.lock -o requirements-images.lock
	$(BIN)/uv pip compile -q pyproject.toml --extra images --group dev --universal --generate-hashes --no-emit-index-url --no-header -c requirements-images.lock -o requirements-dev.lock
	$(BIN)/uv pip compile -q tests/crawlers/replay/requirements.in --python-version 3.11 --universal --generate-hashes --no-emit-index-url --no-header -o tests/crawlers/replay/requirements.lock

# bench/pages.py judges a folder of pages that has to be given by name.
bench: .venv/test
	for script in $(filter-out bench/pages.py,$(wildcard bench/*.py)); do PYTHONPATH=. $(BIN)/python $$script || exit 1; done

clean:
	rm -rf .venv var build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

.venv/bin/pip:
	.ci/setup python $(PYTHON)

.venv/run: requirements.lock pyproject.toml .ci/setup | .venv/bin/pip
	.ci/setup run
	$(BIN)/pip install -q --require-hashes -r requirements.lock
	$(BIN)/pip install -q --no-deps --no-build-isolation -e .
	.ci/setup pdf
	.ci/setup browser
	touch $@

.venv/test: requirements-dev.lock pyproject.toml .ci/setup | .venv/bin/pip
	.ci/setup test
	$(BIN)/pip install -q --require-hashes -r requirements-dev.lock
	$(BIN)/pip install -q --no-deps --no-build-isolation -e .
	.ci/setup pdf
	.ci/setup browser
	touch $@ .venv/run
