"""Runs localstack in its own environment: ``python server.py FOLDER``. S3 is loaded before it answers."""

from __future__ import annotations

import functools
import sys
from pathlib import Path

from localstack.runtime import main  # type: ignore[import-not-found,unused-ignore]
from localstack.services.s3 import provider  # type: ignore[import-not-found,unused-ignore]
from twisted.internet import endpoints  # type: ignore[import-not-found,unused-ignore]

# The folder of objects is a constant that all servers of a machine would share.
provider.DEFAULT_S3_TMP_DIR = str(Path(sys.argv[1]) / "objects")
# Outside of a container it would listen on all interfaces, whatever the setting says.
endpoints.TCP4ServerEndpoint = functools.partial(endpoints.TCP4ServerEndpoint, interface="127.0.0.1")
main.main()
