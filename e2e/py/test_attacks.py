"""Strangers' tools against the running shop: schemathesis by its description, sqlmap on every parameter.

Both are bounded: schemathesis in time, sqlmap in what it tries. Blind attacks by time are left out of sqlmap, because a
busy machine would look like a hole.
"""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from server import ServerCase

TOOLS = Path(sys.executable).parent
SCHEMATHESIS_SECONDS = 60


def said(run: subprocess.CompletedProcess) -> str:
    return (run.stdout + run.stderr)[-6000:]


class Described(ServerCase):
    """What the description promises, the server keeps, whatever it is sent."""

    # That a filter is written in a language of its own is more than a description can say, and so is that a DELETE
    # without filter is refused; hence what is valid to the description may be answered 400. And what is not valid to it
    # may be taken: a limit that is no number is left out and one past 64 bits is as good as none (rest.md 9), and numbers
    # may come as text (rest.md 11.1).
    CHECKS = ",".join(
        [
            "not_a_server_error",
            "status_code_conformance",
            "content_type_conformance",
            "response_headers_conformance",
            "response_schema_conformance",
            "allow_header_conformance",
            "unsupported_method",
        ]
    )

    def attack(self, key: str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            run = subprocess.run(
                [
                    TOOLS / "schemathesis",
                    "run",
                    f"{self.url}/rest/v1/",
                    *("--header", f"apikey: {key}"),
                    *("--checks", self.CHECKS),
                    *("--phases", "examples,coverage,fuzzing"),
                    *("--max-time", str(SCHEMATHESIS_SECONDS)),
                    *("--request-timeout", "10"),
                    *("--seed", "1"),
                    *("--warnings", "off"),
                    "--continue-on-failure",
                    "--no-color",
                ],
                cwd=folder,
                env={
                    "PATH": "/usr/bin:/bin",
                    "HOME": folder,
                    "SCHEMATHESIS_HOOKS": "attack_hooks",
                    "PYTHONPATH": str(Path(__file__).parent),
                },
                capture_output=True,
                text=True,
                timeout=SCHEMATHESIS_SECONDS * 5,
            )
        self.assertEqual(run.returncode, 0, said(run))
        self.assertIsNone(self.server.poll(), "the server has ended")

    def test_the_owner_meets_nothing_undescribed(self) -> None:
        self.attack(self.secret_key)

    def test_anybody_meets_nothing_undescribed(self) -> None:
        self.attack(self.publishable_key)


class Injected(ServerCase):
    """No parameter reaches the database as SQL."""

    def sqlmap(self, url: str, *words: str) -> subprocess.CompletedProcess:
        with tempfile.TemporaryDirectory() as folder:
            return subprocess.run(
                [
                    TOOLS / "sqlmap",
                    *("-u", url),
                    *("--level", "2", "--risk", "2", "--technique", "BEU", "--dbms", "sqlite"),
                    *("--threads", "4", "--timeout", "10", "--output-dir", folder),
                    "--batch",
                    "--flush-session",
                    "--disable-coloring",
                    *words,
                ],
                capture_output=True,
                text=True,
                env={"PATH": "/usr/bin:/bin", "HOME": folder},
                timeout=300,
            )

    def withstands(self, path: str, *words: str, headers: tuple[str, ...] = ()) -> None:
        headers = "\n".join([f"apikey: {self.secret_key}", *headers])
        run = self.sqlmap(f"{self.url}/rest/v1/{path}", "--headers", headers, *words)
        self.assertIn("all tested parameters do not appear to be injectable", run.stdout, said(run))
        self.assertIsNone(self.server.poll(), "the server has ended")

    def test_a_server_that_splices_is_found_out(self) -> None:
        server = subprocess.Popen(
            [sys.executable, Path(__file__).parent / "vulnerable.py"], stdout=subprocess.PIPE, text=True
        )
        self.addCleanup(self.stop, server)
        port = server.stdout.readline().strip()
        run = self.sqlmap(f"http://127.0.0.1:{port}/?id=1")
        self.assertIn("GET parameter 'id' is vulnerable", run.stdout, said(run))

    def test_reads(self) -> None:
        self.withstands("products?select=id,name&name=eq.a&order=name&limit=5&offset=0&or=(name.eq.a,id.gt.1)")

    def test_embeds_and_paths(self) -> None:
        self.withstands("orders?select=id,customers(name)&customers.name=like.a*&id=in.(1,2)&order=customers(name)")

    def test_inserted_bodies(self) -> None:
        self.withstands(
            "categories?select=id&columns=name",
            *("--method", "POST", "--data", '{"name":"x*"}'),
            headers=("Content-Type: application/json",),
        )

    def test_patched_bodies(self) -> None:
        self.withstands(
            "products?id=eq.1&select=id",
            *("--method", "PATCH", "--data", '{"name":"x*"}'),
            headers=("Content-Type: application/json",),
        )

    def test_deletes(self) -> None:
        self.withstands("reviews?id=eq.99999&select=id", "--method", "DELETE")

    def test_tables_and_headers(self) -> None:
        # The asterisk marks the place that is attacked.
        self.withstands("products*?limit=1")
        self.withstands("products?limit=1", headers=("Prefer: count=exact*", "Range: 0-5*", "Accept-Profile: public*"))


if __name__ == "__main__":
    unittest.main()
