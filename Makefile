# Everything is installed by the targets themselves: packages into .venv with locked hashes,
# a Chromium, Chinese fonts and (for the tests) PostgreSQL through .ci/setup.
PYTHON ?= python3
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: run test lint format lock bench clean

run: .venv/run
	$(BIN)/vapewatch demo $(if $(HEADLESS),--once)

test: .venv/test lint
	$(BIN)/python -m pytest -q

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

bench: .venv/test
	for script in bench/*.py; do $(BIN)/python $$script || exit 1; done

clean:
	rm -rf .venv var build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

.venv/bin/pip:
	.ci/setup python $(PYTHON)

.venv/run: requirements.lock pyproject.toml .ci/setup | .venv/bin/pip
	.ci/setup run
	$(BIN)/pip install -q --require-hashes -r requirements.lock
	$(BIN)/pip install -q --no-deps --no-build-isolation -e .
	.ci/setup browser
	touch $@

.venv/test: requirements-dev.lock pyproject.toml .ci/setup | .venv/bin/pip
	.ci/setup test
	$(BIN)/pip install -q --require-hashes -r requirements-dev.lock
	$(BIN)/pip install -q --no-deps --no-build-isolation -e .
	.ci/setup browser
	touch $@ .venv/run
