"""A server that splices what it is given into SQL: the attacker must find it, else it could not find anything.

Listens on a free port of the loopback address, says which on its first line, and answers `/?id=…`.
"""

import json
import sqlite3
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

database = sqlite3.connect(":memory:")
database.executescript("CREATE TABLE t (id INTEGER, name TEXT); INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c');")


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        given = parse_qs(urlsplit(self.path).query).get("id", ["0"])[0]
        try:
            rows = database.execute(f"SELECT id, name FROM t WHERE id = {given}").fetchall()
            status, answer = 200, json.dumps(rows)
        except sqlite3.Error as error:
            status, answer = 400, str(error)
        body = answer.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


server = HTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
