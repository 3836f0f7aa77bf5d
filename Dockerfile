# The base of both stages; replace it where another registry or a pinned digest is wanted.
ARG PYTHON_IMAGE=python:3.12-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
# Dependencies first: this layer is built again only when a lock changes.
COPY requirements/build.lock requirements/image.lock requirements/
RUN python -m venv tools \
    && tools/bin/python -m pip install --require-hashes --no-deps --only-binary :all: \
       --requirement requirements/build.lock \
    && python -m venv --without-pip /app/venv \
    && tools/bin/python -m pip --python /app/venv/bin/python install --require-hashes --no-deps \
       --only-binary :all: --compile --requirement requirements/image.lock
# What packages bring and no service reads: numpy's own tests and C headers (15 MB), the source maps
# and unserved bundles of Swagger UI (9 MB), types for checkers and sources of extensions (2 MB). Of
# Babel's languages all but English and Portuguese (30 MB), of pdfminer the fonts of East Asia (8 MB),
# of Pygments all but Python (7 MB), which colours tracebacks.
RUN find /app/venv/lib \( -path '*/numpy/*tests' -o -path '*/numpy/_core/include' \
       -o -path '*/swagger_ui_bundle/*.map' -o -path '*/swagger_ui_bundle/*-es-bundle*.js' \
       -o -name '*.pyi' -o -name '*.pyx' -o -name '*.pxd' -o -path '*/pdfminer/cmap/*' \
       -o -path '*/babel/locale-data/*' ! -name 'root.*' ! -name 'en*.dat' ! -name 'pt*.dat' \
       -o -path '*/pygments/lexers/*' ! -name '__*' ! -name '_mapping.*' ! -name 'python.*' \
       ! -name 'special.*' \) -prune -exec rm -r {} +
COPY setup.py pyproject.toml README.md LICENSE ./
COPY core core
COPY plugins plugins
RUN tools/bin/python -m pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
    && tools/bin/python -m pip --python /app/venv/bin/python install --no-deps --compile dist/*.whl
# Of uplot-python the console takes files alone, so what that requires is left out of the lock.
# Plugins of one's own (docs/how-to/image.md): those of a lock, which may name wheels beside it, and what an
# image that is built upon this one copies to /app/plugins.
ARG ENERGIA_PLUGINS=requirements/plugins.lock
COPY requirements requirements
RUN tools/bin/python -m pip --python /app/venv/bin/python install --require-hashes --no-deps \
       --only-binary :all: --compile --requirement "$ENERGIA_PLUGINS" \
    && { tools/bin/python -m pip --python /app/venv/bin/python check > checked \
       || ! grep --invert-match '^uplot-python .* requires' checked; } \
    && /app/venv/bin/python -c 'import site; open(site.getsitepackages()[0] + "/own.pth", "w").write("/app/plugins")'

FROM ${PYTHON_IMAGE}
ENV PATH=/app/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONFAULTHANDLER=1 \
    ENERGIA_PROFILE=production ENERGIA_CONFIG_DIR=/app/config
WORKDIR /app
# Owned by root and not writable: the service writes nothing but to its database.
COPY --from=build /app /app
COPY core/energia/health/healthcheck.py bin/healthcheck.py
COPY config config
# The base brings pip, and its library without bytecode: what the service imports is compiled once,
# here, not at every start. Building the API's document also proves the installation whole. Of the
# environment only PATH is left: a platform may pass the service's configuration to a build.
RUN rm -rf /usr/local/bin/pip* /usr/local/lib/python3.*/ensurepip \
       /usr/local/lib/python3.*/site-packages/pip* \
    && env -i PATH="$PATH" energia openapi > /dev/null \
    && env -i PATH="$PATH" python -c 'import energia.web.lifecycle'
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
# The platform reads these flags by a pattern: whole seconds, with `=`.
HEALTHCHECK --interval=2s --timeout=6s --start-period=15s --retries=3 \
    CMD ["python", "-I", "-S", "/app/bin/healthcheck.py"]
ENTRYPOINT ["energia"]
CMD ["serve"]
# Last, so that a commit alone builds no layer again.
ARG SOURCE_COMMIT=
ARG SOURCE_URL=
LABEL org.opencontainers.image.title="Energia" \
      org.opencontainers.image.description="Meter readings in, exact and explained costs out" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="0.3.0.dev0" \
      org.opencontainers.image.source="${SOURCE_URL}" \
      org.opencontainers.image.revision="${SOURCE_COMMIT}"
