# Parley for production: web, worker and every management command are this one image.
#
#   docker build --pull --tag parley .
#
# What needs pip happens in the first stage; the last one has no pip, no compiler and no way to
# write to its own code.

FROM python:3.11-slim-bookworm AS build

WORKDIR /opt/parley
COPY requirements.txt ./
RUN python -m venv --without-pip .venv \
    && python -m pip --python .venv/bin/python install --no-cache-dir --require-hashes \
        --only-binary :all: --requirement requirements.txt

COPY pyproject.toml manage.py ./
COPY public public
COPY static static
COPY templates templates
COPY locale locale
COPY config config
COPY core core
COPY notifications notifications
COPY accounts accounts
COPY webhooks webhooks
COPY calendars calendars
COPY scheduling scheduling
COPY meetings meetings
# The settings make themselves keys where they are given none; these never leave the folder.
RUN DATA_DIR=/tmp/build STATIC_ROOT=/opt/parley/collected \
        .venv/bin/python manage.py collectstatic --noinput --verbosity 0 \
    && rm -rf /tmp/build \
    && .venv/bin/python -m compileall -q config core notifications accounts webhooks \
        calendars scheduling meetings


FROM python:3.11-slim-bookworm

LABEL org.opencontainers.image.title="Parley" \
      org.opencontainers.image.description="A calm, self-hosted scheduling and meeting-request server." \
      org.opencontainers.image.version="0.2.0"

RUN python -m pip uninstall --yes --root-user-action ignore pip setuptools wheel \
    && groupadd --gid 10001 parley \
    && useradd --uid 10001 --gid 10001 --no-log-init --create-home --home-dir /var/lib/parley \
        --shell /usr/sbin/nologin parley
COPY --from=build /opt/parley /opt/parley

ENV PATH=/opt/parley/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DATA_DIR=/var/lib/parley \
    STATIC_ROOT=/opt/parley/collected \
    GRANIAN_WORKERS=2
WORKDIR /opt/parley
USER 10001:10001
EXPOSE 8000

# A web process that is alive answers, whatever else is down: /readyz tells of that.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]

CMD ["granian", "--interface", "rsgi", "--host", "0.0.0.0", "--port", "8000", "--http", "1", "--no-ws", "--backpressure", "1024", "--http1-header-read-timeout", "10000", "--http1-buffer-size", "65536", "--respawn-failed-workers", "--workers-kill-timeout", "30", "config.rsgi:application"]
