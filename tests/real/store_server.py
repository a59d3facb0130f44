"""The ClickHouse engine as a server: one process that takes questions and inserts of many over ClickHouse's HTTP.

``python -m tests.real.store_server PORT FOLDER [HOST]``. It stands for a ClickHouse server where none can be had:
the same engine, the same tables, one store for several history workers. It knows no users and no limits.
"""

import gzip
import sys
import tempfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import chdb
import pyarrow as pa

PACKED = {
    "gzip": gzip.decompress,
    "zstd": lambda data: _unpacked(data, "zstd"),
    "lz4": lambda data: _unpacked(data, "lz4"),
}
TRANSPORT = {"query", "database", "default_format", "client_protocol_version", "session_id", "query_id", "compress",
             "wait_end_of_query", "send_progress_in_http_headers", "http_headers_progress_interval_ms",
             "enable_http_compression", "cancel_http_readonly_queries_on_client_close", "buffer_size"}  # fmt: skip


def _unpacked(data, codec):
    with pa.CompressedInputStream(pa.BufferReader(data), codec) as stream:
        return bytes(stream.read())


class Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    folder = ""

    def log_message(self, *_):
        """Say nothing."""

    def do_GET(self):
        """Answer a ping, or a question in the address."""
        if self.path.startswith("/ping"):
            self._say(200, b"Ok.\n")
        else:
            self._answer(b"")

    def do_POST(self):
        """Answer a question, or take an insert."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b"".join(self._chunks())
        self._answer(PACKED.get(self.headers.get("Content-Encoding"), bytes)(body))

    def _chunks(self):
        while size := int(self.rfile.readline().split(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _answer(self, body):
        asked = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        try:
            handle = chdb.connect(self.folder)  # settings of one question are none of the next one's
            try:
                self._say(200, self._run(handle, asked, body))
            finally:
                handle.close()
        except (RuntimeError, ValueError, OSError) as error:
            self._say(500, str(error).encode())

    def _run(self, handle, asked, body):
        handle.query(f"USE {asked.get('database') or 'default'}")
        values = {name[6:]: _read(value) for name, value in asked.items() if name.startswith("param_")}
        settings = {k: v for k, v in asked.items() if k not in TRANSPORT and not k.startswith("param_")}
        for name, value in settings.items():
            handle.query(f"SET {name} = '{value}'")
        query = asked.get("query", "")
        if not query and body.lstrip().upper().startswith(b"INSERT") and b"FORMAT Native" in body[:10_000]:
            query, _, body = body.partition(b"\n")
            query = query.decode()
        elif not query:
            query, body = body.decode(), b""
        output = self.headers.get("X-ClickHouse-Format") or asked.get("default_format", "TabSeparated")
        if body:
            with tempfile.NamedTemporaryFile() as file:
                file.write(body)
                file.flush()
                head, _, kind = query.rpartition("FORMAT")
                handle.query(f"{head} FROM INFILE '{file.name}' FORMAT {kind}")
            return b""
        found = handle.query(query, output, params=values) if values else handle.query(query, output)
        return found.bytes() or b""

    def _say(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if status != 200:
            code = body.partition(b"Code: ")[2].partition(b".")[0].decode() or "1"
            self.send_header("X-ClickHouse-Exception-Code", code)
        self.end_headers()
        self.wfile.write(body)


def _read(value):
    r"""Return a parameter without the escapes that HTTP clients put in."""
    return value.replace("\\t", "\t").replace("\\n", "\n").replace("\\\\", "\\")


def main(port, folder, host="127.0.0.1"):
    """Serve until a signal ends it."""
    Handler.folder = folder
    keep = chdb.connect(folder)
    keep.query("CREATE DATABASE IF NOT EXISTS watchkeeper")
    ThreadingHTTPServer((host, int(port)), Handler).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
