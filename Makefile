# Needs Python 3.11 or newer, make and git. Everything else goes into .venv.
#
#   make run            serve on http://localhost:8000 (PORT=9000 make run: on another port)
#   make quick          most tests, on SQLite alone: no browser, no races (ARGS="-k slots")
#   make test           every test, on SQLite and on PostgreSQL with Valkey, most of them in two
#                       processes at once (ARGS="-n 0": in one)
#   make check          lint, format, types, layers, migrations, deployment files and settings
#   make format         format the sources
#   make shell          a Python shell on the database of `make run`
#   make migrate        bring that database up to date (ARGS: an app and a migration)
#   make messages       gather what is to be translated into locale/ and compile it (needs gettext)
#   make torture        the endurance tests alone, at full length, on both
#   make dates          make quick, and the stories about calendars, on awkward dates (needs faketime)
#   make looks          every page at the size of a phone and of a desk, checked in forced colours
#                       too, and contact sheets of them in screenshots/sheets/
#   make mails          every kind of email on one page, screenshots/mails.html
#   make soak           five minutes of traffic on two web servers and two workers that are killed
#                       one after another, then a count; on PostgreSQL and Valkey
#   make failover       a primary that is killed, frozen or cut off under load, and its standby, with
#                       and without PgBouncer; two webs that restart behind nginx (needs pgbouncer
#                       and nginx; to cut a primary off, root and ip)
#   make fuzz           what is tested with made-up cases, with new ones and many more of them
#   make clients        clients that the generators of others make of the API's document, two linters
#                       and made-up requests by three new seeds (needs node, php, Guzzle and java)
#   make bench          what performance claims rest on, as one table, on PostgreSQL and Valkey
#                       (ARGS="lists growth": only these); on a quiet machine
#   make audit          look the requirements up among known vulnerabilities (needs PyPI itself)
#   make requirements   pin the requirements anew (ARGS=--upgrade: to the newest)
#   make clean          remove .venv and the caches; the data in var/ stays
#   make help           print these lines

PYTHON := .venv/bin/python
UV := .venv/bin/uv
INSTALL := $(UV) pip install --quiet --python $(PYTHON) --require-hashes
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header
EMBEDDED := env -u DATABASE_URL -u REDIS_URL
UNTRANSLATED := benchmarks docs tests var

# Programs of others that read our calendar objects. npm is not everywhere.
READERS := .venv/.readers-installed \
	$(if $(shell command -v npm),tests/readers/node_modules/.package-lock.json)

# As tests/lanes.py does.
IN_TWO := -n 2 --dist worksteal

.PHONY: run quick test check format shell migrate messages torture dates looks mails soak failover \
	fuzz clients bench audit requirements clean help

run: .venv/.run-installed
	@exec $(PYTHON) manage.py serve

shell migrate: .venv/.run-installed
	@exec $(PYTHON) manage.py $@ $(ARGS)

help:
	@sed -n 's/^#   //p' Makefile

quick: .venv/.dev-installed $(READERS)
	$(EMBEDDED) $(PYTHON) -m pytest $(IN_TWO) $(ARGS) \
		-m "not (alone or torture or browser or clients or failover or postgresql)"

torture: export TORTURE := full
test: $(READERS)
test torture: .venv/.dev-installed
	@$(PYTHON) -m tests.lanes $@ $(ARGS)

# Half an hour before or after a clock changes or a date ends, somewhere: the last day of a month and
# of a year, 29 February, both changes in New York, both in Europe. Every process sees that date;
# waits are real. DATES="2027-06-30T22:00" tries another.
DATES := 2027-04-30T21:30 2027-12-31T22:00 2028-02-29T09:00 2027-03-14T06:30 2026-11-01T05:30 \
	2027-03-28T00:30 2026-10-25T00:30
CALENDARS := $(foreach part,booking doors host keys meetings,tests/journeys/test_browser_$(part).py)
dates: export NO_FAKE_STAT := 1
dates: export FAKETIME_DONT_FAKE_MONOTONIC := 1
dates: export PYTHONPATH := $(CURDIR)/tests/dates
dates: .venv/.dev-installed $(READERS)
	@if ! command -v faketime >/dev/null; then \
		echo "make dates needs faketime (apt-get install faketime)." >&2; exit 1; \
	fi; \
	failed=0; \
	for date in $(DATES); do \
		echo "== $$date UTC"; \
		TZ=UTC faketime "$$(echo $$date | tr T ' ')" $(MAKE) quick || failed=1; \
		TZ=UTC faketime "$$(echo $$date | tr T ' ')" \
			$(EMBEDDED) $(PYTHON) -m pytest -n 2 $(CALENDARS) $(ARGS) || failed=1; \
	done; \
	exit $$failed

looks: export LOOKS := full
looks: .venv/.dev-installed
	rm -f screenshots/*.png
	$(EMBEDDED) $(PYTHON) -m pytest $(IN_TWO) -m "browser or look" $(ARGS)
	$(PYTHON) -m tests.contact_sheets

mails: .venv/.dev-installed
	$(EMBEDDED) $(PYTHON) -m pytest tests/journeys/test_browser_mails.py $(ARGS)

soak: export TORTURE := full
soak: .venv/.dev-installed
	$(PYTHON) -m tests.services -- $(PYTHON) -m pytest tests/torture/test_soak.py $(ARGS)

failover: .venv/.dev-installed
	$(PYTHON) -m tests.services -- $(PYTHON) -m pytest -s -m failover tests/failover $(ARGS)

fuzz: export TORTURE := full
fuzz: .venv/.dev-installed
	$(PYTHON) -m tests.services -- $(PYTHON) -m pytest $(IN_TWO) -m fuzz $(ARGS)

clients: .venv/.clients-installed tests/clients/node_modules/.package-lock.json
	$(EMBEDDED) $(PYTHON) -m pytest tests/clients -m clients $(ARGS)
	@for seed in $$($(PYTHON) -c 'import random; print(*random.sample(range(10**6), 3))'); do \
		echo "== seed $$seed" && export SCHEMATHESIS_SEED=$$seed && \
		$(EMBEDDED) $(PYTHON) -m pytest $(IN_TWO) tests/test_openapi.py && \
		$(PYTHON) -m tests.services -- $(PYTHON) -m pytest $(IN_TWO) tests/test_openapi.py || \
		exit 1; \
	done

tests/clients/node_modules/.package-lock.json: tests/clients/package-lock.json
	npm ci --silent --ignore-scripts --prefix tests/clients

.venv/.clients-installed: tests/clients/requirements.txt .venv/.dev-installed
	@echo "Installing $<"
	@$(INSTALL) -r $<
	@touch $@

# Of their own: they want other releases of what Parley uses too.
.venv/.readers-installed: tests/readers/requirements.txt $(UV)
	@echo "Installing $<"
	@$(UV) venv --quiet --clear --python $(PYTHON) .venv/readers
	@$(UV) pip install --quiet --python .venv/readers/bin/python --require-hashes -r $<
	@touch $@

tests/readers/node_modules/.package-lock.json: tests/readers/package-lock.json
	npm ci --silent --ignore-scripts --prefix tests/readers

bench: .venv/.dev-installed .venv/.appointment-installed
	$(PYTHON) -m tests.services -- $(PYTHON) -m benchmarks $(ARGS)

# Beside Parley, never with it.
.venv/.appointment-installed: benchmarks/appointment/requirements.txt .venv/.dev-installed
	@echo "Installing $<"
	@$(UV) venv --quiet --clear --python $(PYTHON) .venv/appointment
	@$(UV) pip install --quiet --python .venv/appointment/bin/python --require-hashes -r $<
	@touch $@

check: .venv/.dev-installed
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy .
	.venv/bin/lint-imports --no-cache
	.venv/bin/hadolint Dockerfile
	.venv/bin/check-jsonschema --quiet --builtin-schema vendor.compose-spec compose.yaml
	@data=$$(mktemp -d) && trap 'rm -rf "$$data"' EXIT && \
	export DATA_DIR="$$data" PUBLIC_URL=https://parley.example && \
	SECRET_KEY=$$($(PYTHON) -c 'import secrets; print(secrets.token_urlsafe(64))') && \
	export SECRET_KEY && \
	$(EMBEDDED) $(PYTHON) manage.py makemigrations --check --dry-run && \
	$(EMBEDDED) $(PYTHON) manage.py check --deploy --fail-level WARNING

# Strict: what could not be looked up is not called sound. It reads the file alone, on any machine.
audit: $(UV)
	$(UV) tool run pip-audit --strict --disable-pip --require-hashes --requirement requirements.txt

requirements: $(UV)
	$(COMPILE) $(ARGS) pyproject.toml -o requirements.txt
	$(COMPILE) $(ARGS) --extra dev -c requirements.txt pyproject.toml -o requirements-dev.txt
	$(COMPILE) $(ARGS) tests/readers/requirements.in -o tests/readers/requirements.txt
	$(COMPILE) $(ARGS) benchmarks/appointment/requirements.in \
		-o benchmarks/appointment/requirements.txt

# Scripts take their words from the page, so there is no catalog of theirs.
messages: .venv/.dev-installed
	mkdir -p locale
	$(EMBEDDED) $(PYTHON) manage.py makemessages -v 0 -l de -l fr -l es --extension html,txt,py \
		--no-location --no-obsolete --no-wrap $(addprefix --ignore=,$(UNTRANSLATED))
	$(EMBEDDED) $(PYTHON) manage.py compilemessages -v 0 $(addprefix --ignore=,.venv $(UNTRANSLATED))

format: .venv/.dev-installed
	.venv/bin/ruff check --fix
	.venv/bin/ruff format

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.run-installed: requirements.txt $(UV)
	@echo "Installing $<"
	@$(INSTALL) -r $<
	@touch $@

.venv/.dev-installed: requirements-dev.txt $(UV)
	@echo "Installing $<"
	@$(INSTALL) -r $<
	@touch $@

$(UV):
	@for python in python3 python3.11 python3.12 python3.13 none; do \
		"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
	done; \
	if [ "$$python" = none ]; then \
		echo "Parley needs Python 3.11 or newer, as python3 or python3.11 to 3.13 on PATH." >&2; \
		exit 1; \
	fi; \
	if ! "$$python" -c 'import ensurepip' 2>/dev/null; then \
		version=$$("$$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
		echo "$$python cannot make a venv: install python$$version-venv" \
			"(apt-get install python$$version-venv)." >&2; \
		exit 1; \
	fi; \
	"$$python" -m venv .venv && .venv/bin/pip install --quiet uv
