PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
LOCKED := $(BIN)/python -m pip install --quiet --no-deps --only-binary :all: --require-hashes
SIDE_BY_SIDE := -n 3 --dist loadfile --no-loadscope-reorder

.PHONY: help collector demo secrets test test-random explore coverage lint lock dashboards generated docs sbom holes pictures bench bench-detectors bench-incidents bench-kpis bench-boards bench-otlp bench-pace bench-pages bench-scale figures otlp-week kills soak fuzz clean

# Nothing comes in but wheels with the sums of the lock: pip itself first, our own tree last, built by what is locked.
$(READY): pyproject.toml requirements.txt requirements-dev.txt
	@echo "setting up $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@sed -n '/^pip==/,/[^\]$$/p' requirements-dev.txt | $(LOCKED) -r /dev/stdin
	@$(LOCKED) -r requirements.txt -r requirements-dev.txt
	@$(BIN)/python -m pip uninstall -qq --yes setuptools  # an old one comes with Python 3.11, and nothing wants it
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

lock: $(READY)  ## the lock of Python packages, as pyproject.toml wants it; UPGRADE=NAME takes the newest of one, UPGRADE=all of all
	@$(BIN)/python -m docs.lock $(if $(filter all,$(UPGRADE)),--upgrade,$(if $(UPGRADE),--upgrade-package $(UPGRADE)))

help:  ## what there is to make
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1:\2/p' Makefile | awk -F: '{printf "%-17s%s\n", $$1, substr($$0, length($$1) + 2)}'

demo: $(READY)  ## the recorded week through Kafka, Faust, the detectors, incidents and ClickHouse
	@$(BIN)/watchkeeper demo

secrets: $(READY)  ## what docker-compose.yml needs before its first start; nothing that is there is touched
	@$(BIN)/watchkeeper secrets secrets

lint: $(READY)  ## format, lint, types and import contracts
	@echo "format, lint, types, import contracts"
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary schemas detectors streams dashboards docs
	@$(BIN)/lint-imports --no-cache >/dev/null || $(BIN)/lint-imports --no-cache

test: lint  ## every check
	@echo "tests"
	@$(BIN)/python -m pytest -q $(SIDE_BY_SIDE) --durations=10 --durations-min=1

collector: $(READY)  ## a real OpenTelemetry Collector, built (minutes) and run with the configuration of its page
	@$(BIN)/python -m pytest -q -o addopts= --import-mode=importlib -p no:randomly tests/real/collector

test-random: $(READY)  ## every test in an order of chance; SEED=NUMBER repeats one
	@$(BIN)/python -m pytest -q $(SIDE_BY_SIDE) -p randomly $(if $(SEED),--randomly-seed=$(SEED))

explore: $(READY)  ## the invariants with examples of chance, 1,500 each where a test names no number; what fails is printed
	@$(BIN)/python -m pytest -q -n 2 -m hypothesis --hypothesis-profile=explore

coverage: $(READY)  ## branches that the tests reach, also in workers that they start; no fewer than there were
	@$(BIN)/python -m pytest -q $(SIDE_BY_SIDE) --cov --cov-report=
	@$(BIN)/coverage report --skip-covered --sort=cover

dashboards: $(READY)  ## boards, alert rules, Prometheus rules and docs/kpis.md, written anew from schemas/kpis
	@$(BIN)/python -m dashboards

docs: $(READY)  ## the site of all pages, in build/docs; a broken link is an error
	@$(BIN)/python -m sphinx -q -W --keep-going -n -c docs . build/docs
	@echo "build/docs/docs/index.html"

sbom: $(READY)  ## what an installation is made of, packages and jars with licences, as CycloneDX in build/sbom.json
	@$(BIN)/python -m docs.sbom build/sbom.json

holes: $(READY)  ## known holes of the packages of the lock, by pip-audit; 2 where they could not be looked up; SERVICE=osv asks there
	@$(BIN)/python -m docs.holes $(if $(SERVICE),--vulnerability-service $(SERVICE))

pictures: $(READY)  ## the week played, and its pictures taken for the README; needs chromium-headless-shell
	@$(BIN)/watchkeeper demo --data-dir data/pictures
	@$(BIN)/python -m docs.pictures data/pictures

generated: dashboards  ## all that is written by the code: boards, JSON Schema, the pages of settings, categories, roles and rights
	@$(BIN)/python -m schemas.json_schema
	@$(BIN)/python -m streams.store.schema.dictionary
	@$(BIN)/python -m docs.settings
	@$(BIN)/python -m docs.categories
	@$(BIN)/python -m streams.access.roles
	@$(BIN)/python -m streams.access.rights

bench: $(READY)  ## throughput on a real broker, as ratios to other readers on the same machine
	@$(BIN)/python -m tests.benchmarks.bench_pipeline

bench-detectors: $(READY)  ## what the detectors promise, held against what they do; NAB=PATH adds that benchmark, WEEKS=8 composes so many and not 50
	@$(BIN)/python -m tests.benchmarks.detectors $(if $(NAB),--nab $(NAB)) $(if $(WEEKS),--weeks $(WEEKS))
	@$(BIN)/python -m tests.benchmarks.weeks.curves --pictures docs/pictures

bench-incidents: $(READY)  ## findings to incidents: the fold alone, and one worker on a real broker
	@$(BIN)/python -m tests.benchmarks.bench_incidents

bench-otlp: $(READY)  ## from an OTLP request to the finding of a severe event, and what translation costs
	@$(BIN)/python -m tests.benchmarks.bench_otlp

bench-boards: $(READY)  ## what boards and alert rules cost over thirty days of five million events
	@$(BIN)/python -m tests.benchmarks.bench_boards

bench-kpis: $(READY)  ## every KPI view over thirty days of five million events
	@$(BIN)/python -m tests.benchmarks.bench_kpis

bench-pace: $(READY)  ## processor time and memory of all workers' work, as ratios to an earlier commit; BASE=COMMIT
	@$(BIN)/python -m tests.benchmarks.bench_pace $(if $(BASE),--base $(BASE))

bench-pages: $(READY)  ## every page of the console over thirty days of five million events
	@$(BIN)/python -m tests.benchmarks.pages

bench-scale: $(READY)  ## the curve of cost over series, partitions and workers, drawn for docs/scale.md
	@$(BIN)/python -m tests.benchmarks.bench_scale --pictures docs/pictures

figures: $(READY)  ## event to page, detection delay, loss under failure, recovery, throughput: measured, into docs/figures.md
	@$(BIN)/python -m tests.benchmarks.figures

otlp-week: $(READY)  ## the recorded week as OTLP through the receiver, its findings and incidents held against those of its events
	@$(BIN)/python -m tests.chain.otlp_week

kills: $(READY)  ## the long campaign of workers on three hosts and of brokers, that come, go, freeze and lose the network
	@$(BIN)/python -m tests.faults.campaign --disturbances 320 --seconds 1500 --events 60000 --brokers 3 --hosts 3

soak: $(READY)  ## an installation with everything on for two hours, HOURS=8 for more: memory, files and lag stay flat
	@$(BIN)/python -m tests.benchmarks.soak --hours $(if $(HOURS),$(HOURS),2) --pictures docs/pictures

fuzz: $(READY)  ## every decoder, policy, replay file and notice under coverage-guided fuzzing for an hour
	@$(BIN)/python -m tests.hostile.fuzz --seconds 3600 --out data/fuzz

clean:  ## everything that the targets above have made here
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
