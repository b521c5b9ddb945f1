# One image for every process; compose.yaml says which one a container becomes.
# What it needs to write goes to /data (a volume) and /tmp: the rest may be read-only.
ARG PYTHON=3.11.15-slim-bookworm

FROM python:${PYTHON} AS packages
COPY requirements.lock /
RUN python -m venv /venv \
    && /venv/bin/pip install --disable-pip-version-check --no-cache-dir --no-deps \
        --require-hashes --only-binary :all: -r /requirements.lock \
    && /venv/bin/pip uninstall --disable-pip-version-check --quiet --yes pip setuptools

FROM python:${PYTHON}
RUN groupadd --gid 10001 keyplex \
    && useradd --uid 10001 --gid keyplex --no-create-home --home-dir /data --shell /usr/sbin/nologin keyplex \
    && install --directory --owner keyplex --group keyplex --mode 0711 /data \
    && install --directory --owner keyplex --group keyplex --mode 0755 /data/static
COPY --from=packages /venv /venv
COPY . /app
RUN chmod -R a+rX /app && /venv/bin/python -m compileall -q /app
ENV PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    KEYPLEX_DATA=/data \
    KEYPLEX_HOST=0.0.0.0 \
    KEYPLEX_PORT=8000
WORKDIR /app
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
CMD ["python", "manage.py", "run", "web"]
