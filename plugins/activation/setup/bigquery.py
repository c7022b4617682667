"""BigQuery: a service account and its roles."""

from __future__ import annotations

from activation.setup.script import Kit

KIT = Kit(
    title="BigQuery",
    columns={
        "instant": "TIMESTAMP DEFAULT CURRENT_TIMESTAMP()",
        "moment": "TIMESTAMP",
        "key": "STRING NOT NULL",
        "text": "STRING",
        "payload": "JSON",
        "flag": "BOOL",
    },
    parts=("project", "dataset", "table"),
    quote="`",
    who="Run it as an owner of the project, in the location of the dataset.",
    defaults={"user": "activation"},
    make="""
-- A new dataset: CREATE SCHEMA IF NOT EXISTS {project}.{dataset} OPTIONS (location = '<location>');
CREATE TABLE IF NOT EXISTS {name} (
{columns}
);
""",
    access="""
-- The service account is not made by SQL. In a shell:
--   gcloud iam service-accounts create {user_raw} --project={project_raw}
-- User and Job User start queries and count them; Read Session User reads their rows through the Storage Read API;
-- Connection User is needed only where the table lies behind a connection.
GRANT `roles/bigquery.user`, `roles/bigquery.jobUser`, `roles/bigquery.readSessionUser`, `roles/bigquery.connectionUser`
    ON PROJECT {project} TO "serviceAccount:{user_raw}@{project_raw}.iam.gserviceaccount.com";
-- For a view, write ON VIEW.
{grants}
""",
    # A table of another project is still read by the account of the pipeline's own.
    grants="""
GRANT `roles/bigquery.dataViewer`
    ON TABLE {name} TO "serviceAccount:{user_raw}@{first_project_raw}.iam.gserviceaccount.com";
""",
)
