"""Gives up root's rights and becomes a server: ``python postgres_process.py USER COMMAND…``. PostgreSQL does not run as root."""

from __future__ import annotations

import os
import pwd
import sys

if __name__ == "__main__":
    user, *command = sys.argv[1:]
    if user:
        entry = pwd.getpwnam(user)
        os.setgroups([entry.pw_gid])
        os.setgid(entry.pw_gid)
        os.setuid(entry.pw_uid)
    os.execv(command[0], command)  # noqa: S606 - it is to be this very process
