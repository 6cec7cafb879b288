"""Deployment files: they agree with each other, with the guide and with the code.

tests/journeys/test_deploy_*.py show that their commands work. `make check` checks their syntax.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from tests import recipes
from tests.recipes import ROOT, UNITS

pytestmark = pytest.mark.look  # at files: once is enough
WORKERS = ("mail", "deliveries", "calendars", "sweeps")
SERVICES: dict[str, Any] = recipes.compose()["services"]
# Names of others': of Docker's PostgreSQL, of every shell, of Python and of granian.
OF_OTHERS = {
    "POSTGRES_DB",
    "POSTGRES_PASSWORD",
    "POSTGRES_USER",
    "PATH",
    "PYTHONUNBUFFERED",
    "GRANIAN_WORKERS",
}
ENV_EXAMPLE = (ROOT / "deploy" / "env.example").read_text()
SETTINGS = set(
    re.findall(r"^\| `(\w+)` \|", (ROOT / "docs" / "settings.md").read_text(), re.MULTILINE)
)


# --- the image --------------------------------------------------------------------------------


def test_the_image_is_made_of_what_there_is_and_no_more() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    admitted = {line[1:] for line in ignored if line.startswith("!")}
    copied = {
        source
        for name, rest in recipes.steps()
        if name == "COPY" and "--from" not in rest
        for source in rest.split()[:-1]
    }
    assert "*" in ignored
    assert copied == admitted
    assert [source for source in copied if not (ROOT / source).exists()] == []
    # Each app, whatever the next one is called.
    assert {path.parent.name for path in ROOT.glob("*/apps.py")} <= copied


def test_the_last_stage_is_only_what_runs() -> None:
    steps = recipes.last_stage()
    names = [name for name, _rest in steps]
    assert [rest for name, rest in steps if name == "COPY"] == [
        "--from=build /opt/parley /opt/parley"
    ]
    ((_name, run),) = [step for step in steps if step[0] == "RUN"]
    assert run.startswith("python -m pip uninstall --yes")
    assert "apt" not in run
    # Not root, by number, so that Kubernetes and the like can tell; and for all that follows.
    assert dict(steps)["USER"] == "10001:10001"
    assert names.index("USER") > names.index("RUN")
    # Signals reach the server itself, not a shell.
    assert recipes.command("web")[0] == "granian"
    assert recipes.health_check()[0] == "python"


def test_no_layer_holds_a_setting_that_is_secret_nor_names_a_package_index() -> None:
    assert not re.search(r"SECRET_KEY|ENCRYPTION_KEYS|PASSWORD|DATABASE_URL", recipes.DOCKERFILE)
    for path in ("Dockerfile", "compose.yaml", "docs/deploy.md", "requirements.txt"):
        assert not re.search(r"index-url|pypi\.org|/simple", (ROOT / path).read_text())


def test_its_version_is_the_projects() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    label = dict(recipes.last_stage())["LABEL"]
    assert f'version="{project["version"]}"' in label
    assert f'description="{project["description"]}"' in label
    # It runs on the Python that the suite runs on at the least.
    bases = {rest.split()[0] for name, rest in recipes.steps() if name == "FROM"}
    assert bases == {f"python:{project['requires-python'].removeprefix('>=')}-slim-bookworm"}


# --- the services -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_held_tight(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert service["restart"] == ("no" if name == "migrate" else "unless-stopped")


def test_only_the_web_is_reached_and_from_this_machine_alone() -> None:
    assert {name: each["ports"] for name, each in SERVICES.items() if "ports" in each} == {
        "web": ["127.0.0.1:8000:8000"]
    }
    assert recipes.compose()["networks"]["inside"] == {"internal": True}
    assert SERVICES["postgres"]["networks"] == SERVICES["redis"]["networks"] == ["inside"]


def test_what_is_worth_keeping_has_a_volume_and_nothing_else_has() -> None:
    assert {name for name, each in SERVICES.items() if "volumes" in each} == {"postgres"}
    assert list(recipes.compose()["volumes"]) == ["postgres"]


def test_web_and_workers_wait_for_the_migrations_and_those_for_the_database() -> None:
    migrated = {"condition": "service_completed_successfully"}
    for name in ("web", *WORKERS):
        assert SERVICES[name]["depends_on"]["migrate"] == migrated
    assert SERVICES["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}


def test_docker_waits_longer_than_what_it_stops() -> None:
    command = recipes.command("web")
    given = int(command[command.index("--workers-kill-timeout") + 1])
    assert SERVICES["web"]["stop_grace_period"] == f"{given + 5}s"
    assert f"TimeoutStopSec={given + 5}\n" in UNITS["parley-web.service"]
    for name in WORKERS:
        assert SERVICES[name]["stop_grace_period"] == "60s"
        assert "TimeoutStopSec=60\n" in UNITS[f"parley-{name}.service"]


# --- the commands -----------------------------------------------------------------------------


def started_by(unit: str) -> list[str]:
    (line,) = re.findall(r"^ExecStart=/opt/parley/\.venv/bin/(.*)$", UNITS[unit], re.MULTILINE)
    return shlex.split(line)


def test_containers_and_systemd_run_the_same() -> None:
    web = [word.replace("0.0.0.0", "127.0.0.1") for word in recipes.command("web")]
    assert started_by("parley-web.service") == web
    for name in WORKERS:
        assert started_by(f"parley-{name}.service") == recipes.command(name)


def test_every_kind_of_work_has_a_worker_of_its_own_and_one_kind_has_a_beat() -> None:
    queues = {name: recipes.option(name, "-Q") for name in WORKERS}
    assert queues == {queue.name: queue.name for queue in settings.CELERY_TASK_QUEUES}
    assert [name for name in WORKERS if "--beat" in recipes.command(name)] == ["sweeps"]


def test_serve_bounds_its_clients_as_production_does() -> None:
    from config.management.commands import serve

    web = recipes.command("web")
    for option, number in {
        "--backpressure": serve._CONNECTIONS,
        "--http1-header-read-timeout": serve._HEADER_MILLISECONDS,
        "--http1-buffer-size": serve._HEADER_BYTES,
    }.items():
        assert web[web.index(option) + 1] == str(number)


def test_the_smallest_box_is_make_run_without_the_demo() -> None:
    assert started_by("parley.service") == ["python", "manage.py", "serve", "--no-demo"]


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_may_write_to_its_own_folder_alone(unit: str) -> None:
    lines = UNITS[unit].splitlines()
    for line in (
        "User=parley",
        "Environment=DATA_DIR=/var/lib/parley",
        "StateDirectory=parley",
        "UMask=0077",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "ProtectHome=yes",
        "PrivateTmp=yes",
        "CapabilityBoundingSet=",
        "Restart=always",
        "EnvironmentFile=/etc/parley/parley.env",
    ):
        assert line in lines


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze here")
@pytest.mark.parametrize("unit", UNITS)
def test_systemd_takes_a_unit_as_it_is(unit: str, tmp_path: Path) -> None:
    """The unit is unchanged, except that its programs are those of this run."""
    here = tmp_path / unit
    here.write_text(
        UNITS[unit].replace("/opt/parley/.venv/bin/", f"{Path(sys.executable).parent}/")
    )
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(here)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert [line for line in done.stderr.splitlines() if unit in line] == []  # of others, whatever


def test_they_are_those_of_the_architecture() -> None:
    told = (ROOT / "docs" / "architecture.md").read_text()
    (web,) = re.findall(r"^    (granian .*)$", told, re.MULTILINE)
    workers = re.findall(r"^    (celery .* -Q .*)$", told, re.MULTILINE)
    full = " ".join(recipes.command("web"))
    for option in re.findall(r"--[\w-]+ \w+", web):
        assert option in full
    assert workers == [" ".join(recipes.command(name)[:-2]) for name in WORKERS]


def test_every_management_command_exists() -> None:
    from django.core.management import get_commands

    texts = [
        recipes.GUIDE,
        *UNITS.values(),
        recipes.DOCKERFILE,
        " ".join(recipes.command("migrate")),
    ]
    used = {name for text in texts for name in re.findall(r"manage\.py ([a-z_]+)", text)}
    assert used >= {"migrate", "collectstatic", "createsuperuser", "backup", "rotate_keys", "serve"}
    assert sorted(used - set(get_commands())) == []


def test_files_that_the_guide_names_are_there() -> None:
    named = set(re.findall(r"\b(?:deploy/[\w.-]+\w|compose\.yaml)", recipes.GUIDE))
    assert named == {
        "compose.yaml",
        *(f"deploy/{path.name}" for path in (ROOT / "deploy").iterdir()),
    }
    for target in re.findall(r"\]\(([^)]+)\)", recipes.GUIDE):
        assert (ROOT / "docs" / target).resolve().is_file()


def test_the_guide_counts_the_connections_that_they_keep() -> None:
    settings = (ROOT / "docs" / "settings.md").read_text()
    [threads] = [int(number) for number in re.findall(r"`REQUEST_THREADS` \| `(\d+)`", settings)]
    [processes] = {
        int(number)
        for text in (recipes.DOCKERFILE, UNITS["parley-web.service"])
        for number in re.findall(r"GRANIAN_WORKERS=(\d+)", text)
    }
    # Each process needs one connection more, for /readyz.
    of_webs = processes * threads + processes
    of_workers = sum(int(recipes.option(name, "-c")) for name in WORKERS)
    assert f"`{of_webs} × webs + {of_workers} × workers + 10`" in " ".join(recipes.GUIDE.split())
    assert of_webs * 2 + of_workers + 10 < 100  # they fit, as it says


# --- what proxies log -------------------------------------------------------------------------


def shown_by(pattern: str, uri: str) -> str:
    """Return the part of a URL that a log shows."""
    found = re.match(pattern.replace("(?<", "(?P<"), uri)
    return found[1] if found else "-"


LINKS = [
    "/bookings/manage/SECRET",
    "/bookings/manage/SECRET/erase",
    "/bookings/booked/SECRET?x=1",
    "/bookings/calendar/SECRET",
    "/calendar/feed/SECRET.ics",
    "/bookings/confirm/SECRET",
    "/bookings/answer/SECRET",
    "/meetings/answer/SECRET",
    "/teams/join/SECRET",
    "/accounts/confirm-email/SECRET/",
    "/oauth/authorize?state=SECRET",
    "/accounts/password/reset/key/1-SECRET/",
    "/accounts/login/?next=/teams/join/SECRET",
    "/?code=SECRET",
    "/ada?email=SECRET",
    "/ada/call?email=SECRET",
]


@pytest.mark.parametrize("proxy", ["nginx.conf", "Caddyfile"])
def test_proxies_log_no_address_that_acts(proxy: str) -> None:
    text = (ROOT / "deploy" / proxy).read_text()
    [pattern] = re.findall(r'"~?(\^\(.*?)"', text)
    assert [link for link in LINKS if "SECRET" in shown_by(pattern, link)] == []
    assert shown_by(pattern, "/api/v1/events?page=2") == "/api/v1"
    assert shown_by(pattern, "/") == "/"
    assert shown_by(pattern, "/ada/30-minute-meeting") == "/ada/30-minute-meeting"


def test_every_link_of_ours_is_deep_enough_for_that() -> None:
    from tests.page_table import ROUTES

    signed = [route for route in ROUTES.values() if "<str:token>" in route]
    assert len(signed) >= 7
    assert [route for route in signed if "<str:token>" in "/".join(route.split("/")[:3])] == []


def test_nginx_logs_nothing_that_has_the_whole_address() -> None:
    text = (ROOT / "deploy" / "nginx.conf").read_text()
    [line] = re.findall(r"log_format parley (.*?);", text, re.DOTALL)
    whole = {"$request", "$request_uri", "$uri", "$args", "$query_string", "$http_referer"}
    assert whole & set(re.findall(r"\$\w+", line)) == set()
    servers = text.split("\nserver {")[1:]
    assert len(servers) == 2
    for server in servers:
        assert re.search(r"access_log \S+ parley;", server)
        assert re.search(r"error_log \S+ crit;", server)


# --- the settings -----------------------------------------------------------------------------


def variables() -> dict[str, set[str]]:
    """Return the variables that each file names."""
    found = {"env.example": set(re.findall(r"^#?([A-Z_]+)=", ENV_EXAMPLE, re.MULTILINE))}
    text = (ROOT / "compose.yaml").read_text()
    found["compose.yaml"] = set(re.findall(r"\$\{(\w+)", text))
    for name, service in SERVICES.items():
        found[name] = set(service.get("environment", {}))
    for name, unit in UNITS.items():
        found[name] = set(re.findall(r"^Environment=(\w+)=", unit, re.MULTILINE))
    found["Dockerfile"] = {
        name
        for instruction, rest in recipes.steps()
        if instruction in ("ENV", "RUN")
        for name in re.findall(r"(?:^|\s)([A-Z_]{4,})=", rest)
    }
    return found


def test_every_variable_is_a_setting() -> None:
    assert {file: names - SETTINGS - OF_OTHERS for file, names in variables().items()} == {
        file: set() for file in variables()
    }


def test_the_example_has_all_that_the_services_cannot_start_without(tmp_path: Path) -> None:
    """The unchanged example stops the start. Filled in by its own hints, it does not."""
    given = dict(re.findall(r"^([A-Z_]+)=(.*)$", ENV_EXAMPLE, re.MULTILINE))
    made = [name for name, value in given.items() if not value]
    assert made == ["SECRET_KEY", "ENCRYPTION_KEYS", "POSTGRES_PASSWORD"]
    assert set(re.findall(r"\$\{(\w+):\?", (ROOT / "compose.yaml").read_text())) <= set(made)

    hints = re.findall(r"^# .*:  (.+)$", ENV_EXAMPLE, re.MULTILINE)
    values = [
        subprocess.run(
            ["sh", "-c", hint], check=True, capture_output=True, text=True
        ).stdout.strip()
        for hint in (line.replace("python3", sys.executable) for line in hints)
    ]
    assert len(values) == len(made)
    url = SERVICES["web"]["environment"]["DATABASE_URL"]
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "DATA_DIR": str(tmp_path),
        **given,
        "DATABASE_URL": re.sub(r"\$\{.*\}", values[2], url),
        "REDIS_URL": SERVICES["web"]["environment"]["REDIS_URL"],
    }
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]

    def check(**more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=ROOT, env=environment | more, capture_output=True, text=True, check=False
        )

    assert check().stderr == "parley: SECRET_KEY must be set where DATABASE_URL is not SQLite\n"
    filled = check(**dict(zip(made, values, strict=True)))
    assert (filled.returncode, filled.stderr) == (0, "")


# --- SECURITY.md ------------------------------------------------------------------------------


def test_what_security_md_has_scanners_look_for_is_what_tokens_look_like() -> None:
    from accounts.domain.leaks import PATTERN

    text = (ROOT / "SECURITY.md").read_text()
    assert f"    {PATTERN}\n" in text
    paths = set(re.findall(r"\]\(([^)]+)\)|`(tests/[\w/.]+)`", text))
    assert [path for pair in paths for path in pair if path and not (ROOT / path).exists()] == []


@pytest.mark.django_db
def test_the_endpoint_that_it_names_takes_what_it_says(client: Client) -> None:
    text = (ROOT / "SECURITY.md").read_text()
    ((path, body),) = re.findall(r"curl https://parley\.example(\S+) --json '(.*)'", text)
    found = body.replace("pat_…", f"pat_{'0' * 46}")
    assert client.post(path, found, content_type="application/json").status_code == 200
