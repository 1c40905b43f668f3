"""What the small servers of this folder share: JSON over HTTP on a free port, and no opinion on
conflicts. Whoever writes last wins, so that every conflict a client meets is the proxy's."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


def serve(answer, headers=()):
    """Serves `answer(method, segments, query, headers, body) -> (status, JSON)` until it is killed."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # The head and the body of an answer in one packet: else each waits for the other's receipt.
        wbufsize = -1

        def handle_any(self):
            url = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            segments = [segment for segment in url.path.split("/") if segment]
            query = {name: values[0] for name, values in parse_qs(url.query).items()}
            status, shown = answer(self.command, segments, query, self.headers, body)
            payload = json.dumps(shown).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            for name, value in headers:
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(payload)

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = handle_any

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    print(f"serves http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
