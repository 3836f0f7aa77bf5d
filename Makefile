# The two commands are `make run` and `make test`. They need make and Python 3.11 or later with its
# venv module, nothing else; everything they make is in .venv and .tox.

# The interpreter: `make run PYTHON=python3.13`. Otherwise the first of these that is new enough.
ifndef PYTHON
PYTHON := $(shell for found in python3 python3.13 python3.12 python3.11 python; do \
	"$$found" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2> /dev/null \
	&& command -v "$$found" && break; done)
endif
PIP_INSTALL = pip install --quiet --disable-pip-version-check
LOCKED = $(PIP_INSTALL) --require-hashes --no-deps
# What tests marked `needs(...)` ask for, and pip cannot bring.
PROGRAMS = chromium curl faketime mosquitto node npm pgbouncer prometheus promtool
# The Debian package of a program, where its name is another one.
PACKAGE_node = nodejs
PACKAGE_promtool = prometheus
# What `make test` checks.
CHECKS = all
IMAGE = energia
# How many requests `make fuzz` makes up for each operation.
EXAMPLES = 100
# How long `make steady` goes on.
MINUTES = 30
# Only `make lock` needs uv.
UV ?= uv
COMPILE = $(UV) pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
	--no-header --no-emit-index-url --no-annotate

# What makes the client, and checks it as its users do: in an environment of its own.
CLIENTS = attrs httpx ipykernel mypy nbclient openapi-python-client==0.29.* pytest setuptools>=77

.DEFAULT_GOAL := help
.PHONY: help run test test-all docs screenshots fuzz wheel smoke dist audit sbom accuracy bench bench-check bench-billion soak steady attack chaos rehearse rehearse-image rehearse-ci rehearse-import rehearse-plugins rehearse-previews rehearse-citus rehearse-bills client clients programs lock clean python

help:
	@echo 'make run       run Energia on a real household year; nothing else to install'
	@echo 'make test      check style and types, and run the tests'
	@echo 'make test-all  the same, with the programs that some tests need, and the long ones; fails on any skip'
	@echo 'make docs      build the documentation as a site, in English and Portuguese (build/docs)'
	@echo 'make screenshots  take pictures of every page of the console, and those of the documentation (needs chromium; three minutes)'
	@echo 'make fuzz      send EXAMPLES (100) made-up requests of each kind to every operation'
	@echo 'make chaos     kill and cut everything while readings are written (five minutes)'
	@echo 'make attack    send hostile requests, and print what each costs the service (ten minutes)'
	@echo 'make rehearse  deploy release after release under load (needs a Docker engine; six minutes)'
	@echo 'make rehearse-image  build the image, start it hardened, stop it under load (the same)'
	@echo 'make rehearse-plugins  build images with plugins of their own (the same)'
	@echo 'make rehearse-previews  open, close and reap previews beside production'
	@echo 'make rehearse-citus  run the tests of readings and bills on a Citus cluster (DATABASE_URL=...; docs/explanation/scale.md)'
	@echo 'make rehearse-bills  bill ten thousand contracts while the workers that do it are killed (five minutes)'
	@echo 'make rehearse-import  import a file of a gigabyte, and see what memory and delay it costs (three minutes)'
	@echo 'make accuracy  price the data of other engines and random tariffs, and write docs/explanation/accuracy.md (needs that data)'
	@echo 'make bench     measure speed beside limits and peers, and write docs/explanation/performance.md (half an hour; NAMES="reads pricing" for some)'
	@echo 'make bench-check  measure, and fail if a ratio got worse than benchmarks/expected.json'
	@echo 'make bench-billion  measure ingest with a thousand million readings stored (two minutes, 10 GB of disk)'
	@echo 'make soak      see that memory stays flat over thousands of requests (two minutes)'
	@echo 'make steady    see that nothing grows or slows in half an hour at a moderate rate (MINUTES)'
	@echo 'make dist      build the source distribution and the wheel of the last commit'
	@echo 'make wheel     build them, and see that the wheel runs'
	@echo 'make client    build energia-client, the Python client, out of the document'
	@echo 'make clients   make clients of the document, check their types and take a tour with each (needs node)'
	@echo 'make smoke     run the image IMAGE hardened (needs a Docker engine)'
	@echo 'make audit     look up known vulnerabilities of what the image installs'
	@echo 'make sbom      write down what the image installs (dist/sbom.cdx.json)'
	@echo 'make rehearse-ci  run the jobs of the CI workflow on this machine'
	@echo 'make lock      resolve the dependencies anew (needs uv)'
	@echo 'make clean     remove what the other commands made; data stays'

run: .venv/.done
	.venv/bin/energia demo
	@echo "Serving; open http://127.0.0.1:$${PORT:-8080} (Ctrl-C stops)"
	.venv/bin/energia serve

test: .tox/.tool/.done
	.tox/.tool/bin/tox run -e $(CHECKS)

# The documentation as a site; a link that leads nowhere ends it.
docs: .docs/.done
	.docs/bin/python -m tests.documentation.site

# Both distributions, of the last commit alone: the same commit is the same bytes, whoever builds it.
# The wheel is built from the other one, so that has all that it takes.
dist: | python
	rm -rf dist build .wheel && mkdir -p dist .wheel/source
	"$(PYTHON)" -m venv .wheel/build && .wheel/build/bin/python -m $(LOCKED) --requirement requirements/build.lock
	git archive HEAD | tar --extract --directory .wheel/source
	umask 022; export SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct); cd .wheel/source && \
	../build/bin/python -c 'from setuptools.build_meta import build_sdist; build_sdist("$(CURDIR)/dist")' > /dev/null && \
	../build/bin/python -m $(PIP_INSTALL:install=wheel) --no-deps --no-build-isolation \
		--wheel-dir "$(CURDIR)/dist" "$(CURDIR)"/dist/*.tar.gz
	cd dist && sha256sum -- *

# The wheel, and whether it runs with no more than the image has.
wheel: dist
	"$(PYTHON)" -m venv .wheel/run && .wheel/run/bin/python -m $(LOCKED) --requirement requirements/image.lock
	.wheel/run/bin/python -m $(PIP_INSTALL) --no-deps dist/*.whl
	! .wheel/run/bin/python -m pip check | grep --invert-match -e '^No broken' -e '^uplot-python .* requires'
	cd .wheel/run && bin/energia plugins list

# The Python client: what is made of the document is made anew.
client: .venv/.done .clients/.done
	.venv/bin/energia openapi > .clients/openapi.json
	.clients/bin/python clients/python/generate.py .clients/openapi.json
	.clients/bin/python -m $(PIP_INSTALL:install=wheel) --no-deps --no-build-isolation --wheel-dir dist clients/python
	rm -rf clients/python/build

# Clients as others make them, and our own.
clients: .tox/.tool/.done
	.tox/.tool/bin/tox run -e py -- tests/e2e/test_clients.py --all

# Start the image as tightly as a platform may; needs a Docker engine.
smoke: .venv/.done
	.venv/bin/python -m tests.rehearsals.ci.smoke $(IMAGE)

# What is known to be vulnerable among what the image installs; asks the package index.
audit: .audit/.done
	.audit/bin/pip-audit --strict --require-hashes --disable-pip --requirement requirements/image.lock

# What the image installs, with hashes, as a bill of materials (CycloneDX).
sbom: .audit/.done
	mkdir -p dist && .audit/bin/cyclonedx-py requirements --output-reproducible --output-format JSON \
		--output-file dist/sbom.cdx.json requirements/image.lock

# The jobs of the workflow, on this machine: `make rehearse-ci JOBS="check wheel"`.
rehearse-ci: .tox/.tool/.done
	.tox/.tool/bin/tox run -e py -x 'testenv.commands=python -m tests.rehearsals.ci.workflow $(JOBS)'

test-all: .tox/.tool/.done programs
	.tox/.tool/bin/tox run -e $(CHECKS) -- --all -o faulthandler_timeout=1200

# Every page of the console, narrow and wide, light and dark (build/screenshots); those of the
# documentation anew (docs/pictures). The customers are made up, and the month is this one.
screenshots: .tox/.tool/.done
	.tox/.tool/bin/tox run -q -e py -x 'testenv.commands=python -m tests.plugins.console.screenshots'

# Thousands of requests that are made up from the OpenAPI document.
fuzz: .tox/.tool/.done
	.tox/.tool/bin/tox run -e py -- tests/e2e/test_schema.py --fuzz $(EXAMPLES) -o faulthandler_timeout=0

# The database killed under load; it prints what that costs. Then everything else, while as much as
# possible is written.
chaos: .tox/.tool/.done
	.tox/.tool/bin/tox run -q -e py -x 'testenv.commands=python -m tests.rehearsals.database'
	.tox/.tool/bin/tox run -q -e py -x 'testenv.commands=python -m tests.rehearsals.chaos'

# Requests that ask for much more than they send: docs/explanation/hostile.md has the figures.
attack: .tox/.tool/.done
	.tox/.tool/bin/tox run -q -e py -x 'testenv.commands=python -m tests.attack'

# Ten releases, one after the other, behind Traefik; needs a Docker engine.
rehearse: .tox/.tool/.done
	.tox/.tool/bin/tox run -e py -x 'testenv.commands=python -m tests.rehearsals.rolling'

# The image as it is shipped; needs a Docker engine.
rehearse-image: .tox/.tool/.done
	.tox/.tool/bin/tox run -e py -x 'testenv.commands=python -m tests.rehearsals.image'

# Images with plugins of one's own; needs a Docker engine.
rehearse-plugins: .tox/.tool/.done
	.tox/.tool/bin/tox run -e py -x 'testenv.commands=python -m tests.rehearsals.plugins'

# Previews beside production, on a real PostgreSQL; it prints how long what took.
rehearse-previews: .tox/.tool/.done
	.tox/.tool/bin/tox run -e py -x 'testenv.commands=python -m tests.rehearsals.previews'

# The tests of readings and bills on a cluster; what its database contains is deleted.
rehearse-citus: .tox/.tool/.done
	.tox/.tool/bin/tox run -q -e py -x 'testenv.commands=python -m tests.rehearsals.citus $(DATABASE_URL) $(TESTS)'

# A bill run whose workers are killed twenty times: every contract is billed once.
rehearse-bills: .tox/.tool/.done
	.tox/.tool/bin/tox run -q -e py -x 'testenv.commands=python -m tests.rehearsals.bill_workers'

# A large file into a service: its memory, and how long its event loop stalls.
rehearse-import: .tox/.tool/.done
	.tox/.tool/bin/tox run -q -e py -x 'testenv.commands=python -m tests.rehearsals.large_file'

# What other engines charge, against what imported tariffs cost here; the data are not in this repository.
# Then random tariffs, worked out by a second implementation too.
accuracy: .tox/.tool/.done
	SHARED_DATA="$${SHARED_DATA:-$(CURDIR)/../shared}" .tox/.tool/bin/tox run -q -e py -x 'testenv.commands=python -m tests.accuracy'

# Speed beside limits and peers, in one run; other engines are installed into build/peers.
bench: .tox/.tool/.done
	.tox/.tool/bin/tox run -q -e py -x 'testenv.commands=python -m benchmarks $(or $(NAMES),--page)'

bench-check: .tox/.tool/.done
	.tox/.tool/bin/tox run -q -e py -x 'testenv.commands=python -m benchmarks --check $(NAMES)'

bench-billion: .tox/.tool/.done
	.tox/.tool/bin/tox run -q -e py -x 'testenv.commands=python -m benchmarks.storage --readings 1000000000'

soak: .venv/.done
	.venv/bin/python -m benchmarks.soak

# Memory, connections, tasks and the slowest answers, at a moderate rate: `make steady MINUTES=30`.
steady: .tox/.tool/.done
	.tox/.tool/bin/tox run -q -e py -x 'testenv.commands=python -m tests.rehearsals.steady --minutes $(MINUTES)'

# Debian's packages, where we may install them; a test that still lacks its program fails. Services
# that they bring are not started (RUNLEVEL).
programs:
	@missing=; $(foreach program,$(PROGRAMS),command -v $(program) > /dev/null \
	|| missing="$$missing $(or $(PACKAGE_$(program)),$(program))";) \
	if test -n "$$missing" && test "$$(id -u)" = 0 && command -v apt-get > /dev/null; then \
	apt-get update --quiet=2 && RUNLEVEL=1 apt-get install --yes --quiet=2 --no-install-recommends $$missing; fi

.venv/.done: setup.py requirements/build.lock requirements/run.lock | python
	@echo 'Installing into .venv; this takes about a minute, once.'
	@"$(PYTHON)" -m venv --clear .venv
	@.venv/bin/python -m $(LOCKED) --requirement requirements/build.lock --requirement requirements/run.lock
	@.venv/bin/python -m $(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

.audit/.done: requirements/audit.lock | python
	@"$(PYTHON)" -m venv --clear .audit
	@.audit/bin/python -m $(LOCKED) --requirement requirements/audit.lock
	@touch $@

.clients/.done: requirements/clients.lock | python
	@"$(PYTHON)" -m venv --clear .clients
	@.clients/bin/python -m $(LOCKED) --requirement requirements/clients.lock
	@touch $@

.docs/.done: requirements/docs.lock | python
	@"$(PYTHON)" -m venv --clear .docs
	@.docs/bin/python -m $(LOCKED) --requirement requirements/docs.lock
	@touch $@

.tox/.tool/.done: requirements/tox.lock | python
	@echo 'Installing tox into .tox/.tool, once.'
	@"$(PYTHON)" -m venv --clear .tox/.tool
	@.tox/.tool/bin/python -m $(LOCKED) --requirement requirements/tox.lock
	@touch $@

python:
	@test -n "$(PYTHON)" || { echo 'Energia needs Python 3.11 or later with its venv module' \
	'(Debian, Ubuntu: apt install python3-venv), or make PYTHON=/path/to/python.' >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' || \
	{ echo '$(PYTHON) is not Python 3.11 or later with its venv module.' >&2; exit 1; }

lock:
	echo 'setuptools>=77' | $(COMPILE) - --output-file requirements/build.lock
	echo 'tox>=4' | $(COMPILE) - --output-file requirements/tox.lock
	printf 'cyclonedx-bom>=7\npip-audit>=2.9\n' | $(COMPILE) - --output-file requirements/audit.lock
	echo '$(CLIENTS)' | tr ' ' '\n' | $(COMPILE) - --output-file requirements/clients.lock
	printf 'attrs>=25.4\nzensical>=0.0.73\n' | $(COMPILE) - --output-file requirements/docs.lock
	$(COMPILE) --override requirements/overrides.txt setup.py --extra console --extra fast --extra modbus --extra mqtt --extra otel --extra pdf --output-file requirements/image.lock
	$(COMPILE) --override requirements/overrides.txt setup.py --extra console --extra embedded --output-file requirements/run.lock
	$(COMPILE) --override requirements/overrides.txt setup.py --extra embedded --extra lint --extra test --extra types \
		--output-file requirements/test.lock

clean:
	rm -rf .venv .tox .wheel .audit .clients .docs build dist energia.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
