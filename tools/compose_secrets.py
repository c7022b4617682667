"""Writes fresh secrets for docker-compose.yaml, one ``NAME=value`` a line."""

from __future__ import annotations

import base64
import secrets
import sys


def main() -> None:
    """Write every variable that docker-compose.yaml asks for."""
    values = {
        # It becomes a word of a command line, so it must not begin with a dash.
        "AIRFLOW_ADMIN_PASSWORD": secrets.token_hex(12),
        "AIRFLOW_API_SECRET_KEY": secrets.token_hex(32),
        "AIRFLOW_FERNET_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "AIRFLOW_JWT_SECRET": secrets.token_hex(32),
        "POSTGRES_PASSWORD": secrets.token_hex(18),
    }
    sys.stdout.writelines(f"{name}={value}\n" for name, value in values.items())


if __name__ == "__main__":
    main()
