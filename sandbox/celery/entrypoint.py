"""What Airflow's image does before its command, as far as docker-compose.yaml asks for it: ``python entrypoint.py COMMAND…``.

The image starts a process for each command; here one process runs them all, which saves seconds of imports.
"""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Migrate the database and create the user if the environment says so, then run the command."""
    if os.environ.get("_AIRFLOW_DB_MIGRATE") == "true":
        _airflow("db", "migrate")
    if os.environ.get("_AIRFLOW_WWW_USER_CREATE") == "true":
        login = {option: os.environ[f"_AIRFLOW_WWW_USER_{option.upper()}"] for option in ("username", "password")}
        person = {"role": "Admin", "firstname": "Airflow", "lastname": "Admin", "email": "admin@example.com"}
        _airflow("users", "create", *(word for option, value in {**login, **person}.items() for word in (f"--{option}", value)))
    _airflow(*sys.argv[1:])


def _airflow(*words: str) -> None:
    from airflow.__main__ import main as run

    sys.argv = ["airflow", *words]
    run()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()
