"""Starts the real program on a copy of the example, on a free port, and reads its keys."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path


def need(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise RuntimeError(f"{name} is not set; run these tests with `cargo xtask test`")
    return value


class ServerCase(unittest.TestCase):
    """Tests of one class share a running shop with its seed, at `url`, and know its keys."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.program = program = need("MAINSTAY_BIN")
        cls.folder = Path(tempfile.mkdtemp(prefix="mainstay-e2e-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.project = project = cls.folder / "shop"
        shutil.copytree(need("MAINSTAY_EXAMPLE"), project, ignore=shutil.ignore_patterns(".mainstay"))

        def run(*words: str) -> str:
            return subprocess.run([program, *words, project], check=True, capture_output=True, text=True).stdout

        run("migrate", "apply")
        run("seed")
        keys = dict(line.split("=", 1) for line in run("keys").splitlines())
        cls.publishable_key = keys["MAINSTAY_PUBLISHABLE_KEY"]
        cls.secret_key = keys["MAINSTAY_SECRET_KEY"]
        serve = [program, "serve", "--listen", "127.0.0.1:0", "--set", "log.level=warn", project]
        cls.server = subprocess.Popen(serve, stdout=subprocess.PIPE, text=True)
        cls.addClassCleanup(cls.stop, cls.server)
        cls.url = cls.listening(cls.server)

    @staticmethod
    def listening(server: subprocess.Popen) -> str:
        for line in server.stdout:
            found = re.search(r"listening on (http://\S+)", line)
            if found:
                return found.group(1)
        raise RuntimeError(f"the server ended with {server.wait()} before it listened")

    @staticmethod
    def stop(server: subprocess.Popen) -> None:
        server.terminate()
        server.wait(timeout=30)
        server.stdout.close()
