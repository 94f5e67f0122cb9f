# Two images from one file:
#   docker build -t config-remediator .                                       the worker, and nothing else
#   docker build -t config-remediator-emulator --target emulator .            the emulator, for development
#
# For a release, `make release` pins the base to the digest that its tag has, labels the images with their source, their
# revision and that base, and writes them as archives with the same bytes each time. By hand:
#   docker pull python:3.12-slim-bookworm      # prints the digest
#   docker build --build-arg PYTHON_IMAGE=python:3.12-slim-bookworm@sha256:<digest> \
#     --build-arg BASE_NAME=python:3.12-slim-bookworm --build-arg BASE_DIGEST=sha256:<digest> .
ARG PYTHON_IMAGE=python:3.12-slim-bookworm

# ---------------------------------------------------------------------------------------------------------------------
# The locked packages, each checked against its hash. Rebuilt only when a lock changes.
FROM ${PYTHON_IMAGE} AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_INPUT=1 \
    PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
# Without pip: the environment is copied into the final image, where nothing is to be installed any more.
RUN python -m venv --without-pip /opt/venv
# What installs is locked, too: pip, and the setuptools with which the SDKs that are published as source only are built.
COPY requirements/installer.txt ./
RUN --mount=type=cache,target=/root/.cache/pip \
    python -m venv /opt/installer && /opt/installer/bin/pip install --require-hashes -r installer.txt
# `--build-arg LOCK=reevaluate` brings what reevaluate.enabled and rules about security groups need.
ARG LOCK=worker
COPY requirements/worker.txt requirements/${LOCK}.txt ./
RUN --mount=type=cache,target=/root/.cache/pip \
    PYTHONPATH=$(echo /opt/installer/lib/python3*/site-packages) /opt/installer/bin/pip --python /opt/venv/bin/python \
    install --no-compile --require-hashes --no-build-isolation --use-pep517 -r "${LOCK}.txt"
# Bytecode is made here because the file system is read-only later.
COPY deploy/image/bytecode.py ./
RUN python bytecode.py /opt/venv/lib

FROM packages AS emulator-packages
COPY requirements/emulator.txt ./
RUN --mount=type=cache,target=/root/.cache/pip \
    PYTHONPATH=$(echo /opt/installer/lib/python3*/site-packages) /opt/installer/bin/pip --python /opt/venv/bin/python \
    install --no-compile --require-hashes --no-build-isolation --use-pep517 -r emulator.txt \
    && python bytecode.py /opt/venv/lib

# ---------------------------------------------------------------------------------------------------------------------
# The service itself. Copied rather than installed: it is pure Python, and a build backend would be one more thing to
# trust that no lock covers.
FROM packages AS service
COPY deploy/image/config-remediator /opt/service/bin/
COPY consumer /opt/service/lib/consumer
COPY config.example.toml /opt/service/lib/consumer/
# What `config-remediator files` prints.
COPY deploy/grafana/dashboards /opt/service/lib/consumer/bundled/files/dashboards
COPY deploy/prometheus/rules /opt/service/lib/consumer/bundled/files/alerts
COPY deploy/ram/trust.json /opt/service/lib/consumer/bundled/files/ram/
COPY deploy/ros /opt/service/lib/consumer/bundled/files/ros
COPY deploy/terraform /opt/service/lib/consumer/bundled/files/terraform
RUN chmod -R a=rX,u+w /opt/service && chmod a+x /opt/service/bin/* \
    && python bytecode.py /opt/service/lib
# What is in the image, by name and version, the product itself first.
COPY deploy/image/bill.py ./
RUN mkdir /sbom && python bill.py config-remediator /opt/service/lib/consumer/__init__.py /opt/venv \
    >/sbom/config-remediator.cdx.json

FROM emulator-packages AS emulator-service
COPY consumer/__init__.py deploy/image/bill.py ./
COPY emulator /app/emulator
COPY deploy/__init__.py /app/deploy/
COPY deploy/compose /app/deploy/compose
RUN chmod -R a=rX,u+w /app && python bytecode.py /app \
    && mkdir /sbom && python bill.py config-remediator-emulator __init__.py /opt/venv \
    >/sbom/config-remediator-emulator.cdx.json

# ---------------------------------------------------------------------------------------------------------------------
# What both images stand on: Python without the tools to install anything, and a user that owns nothing.
FROM ${PYTHON_IMAGE} AS runtime
RUN rm -rf /usr/local/bin/pip* /usr/local/lib/python3.*/site-packages/* /usr/local/lib/python3.*/ensurepip
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONFAULTHANDLER=1 \
    HOME=/nonexistent
# A number, because Kubernetes' runAsNonRoot does not look names up.
USER 65532:65532
WORKDIR /
COPY --chmod=644 LICENSE /licenses/LICENSE

# ---------------------------------------------------------------------------------------------------------------------
FROM runtime AS emulator
ARG VERSION=unknown
ARG REVISION=unknown
ARG CREATED=unknown
ARG SOURCE=unknown
ARG BASE_NAME=python:3.12-slim-bookworm
ARG BASE_DIGEST=unknown
LABEL org.opencontainers.image.title="config-remediator-emulator" \
      org.opencontainers.image.description="Development emulator of MNS, OSS bucket configuration and Cloud Config" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.base.name="${BASE_NAME}" \
      org.opencontainers.image.base.digest="${BASE_DIGEST}"
COPY --from=emulator-packages /opt/venv /opt/venv
COPY --from=emulator-service /app /app
COPY --from=emulator-service /sbom /usr/share/sbom
WORKDIR /app
EXPOSE 8001 8002 8003
ENTRYPOINT ["python", "-m", "emulator"]
# Inside a container everything has to come from outside; which ports get out is decided where it is run.
CMD ["--host", "0.0.0.0", "--mns-port", "8001", "--oss-port", "8002", "--control-port", "8003"]
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s --retries=6 \
    CMD ["python", "-m", "deploy.compose.ready"]

# ---------------------------------------------------------------------------------------------------------------------
# Last, so that it is what a plain `docker build` makes.
FROM runtime AS worker
ARG VERSION=unknown
ARG REVISION=unknown
ARG CREATED=unknown
ARG SOURCE=unknown
ARG BASE_NAME=python:3.12-slim-bookworm
ARG BASE_DIGEST=unknown
LABEL org.opencontainers.image.title="config-remediator" \
      org.opencontainers.image.description="Repairs what Alibaba Cloud Config reports, and deletes a message only on success" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.base.name="${BASE_NAME}" \
      org.opencontainers.image.base.digest="${BASE_DIGEST}"
COPY --from=packages /opt/venv /opt/venv
COPY --from=service /opt/service /opt/service
COPY --from=service /sbom /usr/share/sbom
# Probes and scrapes come from outside the container, so the worker listens on every address of its own network.
ENV PATH=/opt/service/bin:/opt/venv/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONPATH=/opt/service/lib \
    REMEDIATOR_REVISION=${REVISION} \
    REMEDIATOR__HTTP__HOST=0.0.0.0
EXPOSE 9108
STOPSIGNAL SIGTERM
ENTRYPOINT ["config-remediator"]
CMD ["run", "--config", "/etc/config-remediator/config.toml"]
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-m", "consumer.healthcheck", "/etc/config-remediator/config.toml"]
