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
COPY setup.py pyproject.toml README.md LICENSE ./
COPY core core
COPY plugins plugins
RUN tools/bin/python -m pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
    && tools/bin/python -m pip --python /app/venv/bin/python install --no-deps --compile dist/*.whl

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="Energia" \
      org.opencontainers.image.description="Meter readings in, exact and explained costs out" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV PATH=/app/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONFAULTHANDLER=1 \
    ENERGIA_PROFILE=production ENERGIA_CONFIG_DIR=/app/config
WORKDIR /app
# Owned by root and not writable: the service writes nothing but to its database.
COPY --from=build /app /app
COPY core/energia/health/healthcheck.py bin/healthcheck.py
COPY config config
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
# The platform reads these flags by a pattern: whole seconds, with `=`.
HEALTHCHECK --interval=2s --timeout=2s --start-period=15s --retries=3 \
    CMD ["python", "-I", "-S", "/app/bin/healthcheck.py"]
ENTRYPOINT ["energia"]
CMD ["serve"]
