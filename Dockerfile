# The image of docker-compose.yaml: Airflow's own image with this bundle in it.
FROM apache/airflow:3.3.2

# The extras of pyproject.toml. Who reads one warehouse only gets a smaller image, for example with EXTRAS=snowflake,uvloop.
ARG EXTRAS=all

COPY --chown=airflow:0 pyproject.toml README.md LICENSE /opt/activation/
COPY --chown=airflow:0 plugins /opt/activation/plugins

# Not root, neither here nor in the containers.
USER airflow

# A new volume takes its owner from the folder that it is mounted at, so both are made here. Airflow 3.3 does not start with Celery 5.7.
RUN mkdir -p /opt/airflow/activation /opt/airflow/logs \
 && pip install --no-cache-dir "apache-airflow==3.3.2" "celery<5.7" --editable "/opt/activation[${EXTRAS}]"
