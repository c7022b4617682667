"""Runs in an environment of its own; see ``requirements.txt`` (Python 3.11 or newer)."""
