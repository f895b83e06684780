# Two commands: `make try` talks, `make test` checks everything. Both set up what they need, once.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
# A plain path entry: the import hook of setuptools' default costs every command 20 ms at its start.
EDITABLE := --config-settings editable_mode=compat
export CMAKE_BUILD_PARALLEL_LEVEL ?= $(shell nproc 2>/dev/null || echo 2)

# The tests that together take every way through the store, the guard and the curve.
COVERED := $(addprefix tests/test_,$(addsuffix .py,files forget guard search store journal backup database index_damage ledger \
	vault keys vectors older forgetting export import browse recall sleep trust cli_forget cli_machine))

.PHONY: try test bench soak cover lint format clean

try: $(STAMP)-try
	$(BIN)/mem setup --yes
	@if [ -t 0 ]; then $(BIN)/mem chat; else sh bench/two_days.sh $(BIN)/mem; fi

test: $(STAMP)-test lint
	$(BIN)/python -m pytest -q

lint: $(STAMP)-test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP)-test
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(STAMP)-test
	$(BIN)/python -m bench

soak: $(STAMP)-test
	MEM_SOAK=1 $(BIN)/python -m pytest -q -m soak

cover: $(STAMP)-test
	$(BIN)/python -m pytest -q $(COVERED) --cov=storage --cov=app.guard --cov=app.forgetting --cov-branch \
		--cov-report=term-missing:skip-covered --cov-fail-under=100

clean:
	rm -rf $(VENV) *.egg-info build

$(STAMP)-try: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q $(EDITABLE) -e '.[chat,index]'
	touch $@

# torch first, so that the CPU build is taken and sentence-transformers does not bring several GB of CUDA.
$(STAMP)-test: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q torch==2.13.0
	$(BIN)/python -m pip install -q $(EDITABLE) -e '.[chat,index,torch,doors,dev]'
	touch $@
