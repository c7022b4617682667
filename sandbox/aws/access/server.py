"""Runs ministack in its own environment: ``python server.py FOLDER``."""

from __future__ import annotations

import sys

from ministack import app  # type: ignore[import-not-found,unused-ignore]

del sys.argv[1:]  # it would take the folder for one of its own commands
# With TLS it would take port 443 as well, where it may.
app._port_is_bindable = lambda host, port: False
app.main()
