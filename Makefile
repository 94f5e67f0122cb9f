# One command runs every gate, here and in CI: `make test`.

PY := .venv/bin/python
# Extras stay in the locks: pip before 23.3 looks for what `coverage[toml]` asks for on the index if only `coverage` is locked.
COMPILE := uv pip compile --quiet --universal --generate-hashes --no-header --no-strip-extras --python-version 3.11
.DEFAULT_GOAL := help
.PHONY: help demo test lint types check faults soak fairness bench fuzz mutants pictures compat cluster lock wheel release installs clean

help: ## Show what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: ## Break buckets on an emulator and watch the worker repair them (DEMO_BUCKETS=200)
	@scripts/environment emulator
	@scripts/environment reevaluate
	@$(PY) -m demo

test: lint types check ## Lint, types, all tests

lint:
	@scripts/environment dev
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m vulture

types:
	@scripts/environment dev
	$(PY) -m mypy

check:
	@scripts/environment dev
	$(PY) -m pytest -n auto --dist worksteal --cov --cov-report=term

faults: ## The fault campaign in its long form (FAULTS_SEED, FAULTS_EVENTS=20000, FAULTS_KILLS=50)
	@scripts/environment dev
	$(PY) -m tests.faults.campaign --events $${FAULTS_EVENTS:-20000} --kills $${FAULTS_KILLS:-50} $${FAULTS_SEED:+--seed $$FAULTS_SEED}

soak: ## 200,000 messages, watching memory, threads, sockets and descriptors (SOAK_MESSAGES)
	@scripts/environment dev
	$(PY) -m tests.faults.soak --messages $${SOAK_MESSAGES:-200000}

fairness: ## What 20,000 messages that wait cost a fresh event, in 40 minutes (FAIRNESS_MESSAGES)
	@scripts/environment dev
	$(PY) -m tests.faults.fairness --messages $${FAIRNESS_MESSAGES:-20000}

bench: ## Measure against what people would use instead; under 15 minutes (BENCH="--only http-0 --rounds 5")
	@scripts/environment bench
	@$(PY) -m bench $(BENCH)

fuzz: ## A million hostile bodies through decode, match and guard (FUZZ_EXAMPLES)
	@scripts/environment dev
	FUZZ_EXAMPLES=$${FUZZ_EXAMPLES:-1000000} $(PY) -m pytest -q tests/fuzz

mutants: ## Break the engine, the guards and the repairs line by line, and see the tests notice (ONLY=consumer/engine/lease.py)
	@scripts/environment mutants
	$(PY) -m tests.mutants $(ONLY)

pictures: ## Take the documentation's pictures anew, in 20 minutes; RENDER draws a dashboard (RENDER=...)
	@scripts/environment dev
	$(PY) -m tests.pictures $(PICTURES)

compat: ## Other people's test suites against the emulator, fetched from the package registries (SUITES="oss2 aiooss2")
	@scripts/environment dev
	$(PY) -m tests.compat $(SUITES)

cluster: ## Apply manifests and chart to a real cluster, in scratch namespaces (CONTEXT=of your kubeconfig, CLUSTER="--definitions")
	@scripts/environment dev
	@$(PY) -m tests.cluster --context "$(CONTEXT)" $(CLUSTER)

lock: ## Resolve the locked requirements anew (needs uv)
	$(COMPILE) --group installer -o requirements/installer.txt
	$(COMPILE) pyproject.toml --extra dev -o requirements/dev.txt
	$(COMPILE) pyproject.toml --extra shared -o requirements/worker.txt
	$(COMPILE) pyproject.toml --extra shared --extra reevaluate --extra ecs -o requirements/reevaluate.txt
	$(COMPILE) pyproject.toml --extra shared --extra emulator --extra ecs -o requirements/emulator.txt
	$(COMPILE) pyproject.toml --extra bench -o requirements/bench.txt
	$(COMPILE) pyproject.toml --extra mutants -o requirements/mutants.txt
	scripts/environment dev
	$(PY) scripts/record_requires.py

wheel: ## Build the wheel into dist/
	@scripts/environment dev
	rm -rf dist
	$(PY) -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

release: ## Build wheel, sdist, locks, images, bill of materials and checksums into dist/, the same bytes every time
	@scripts/environment dev
	@$(PY) -m scripts.release $${RELEASE_TAG:+--tag $$RELEASE_TAG} $${RELEASE_IMAGES:+--images $$RELEASE_IMAGES}

installs: wheel ## Install every lock and the wheel, with the oldest pips that come with Python 3.11
	scripts/install-locks

clean: ## Remove the virtual environment and every cache
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage
