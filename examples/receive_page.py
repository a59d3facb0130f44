"""Be told of incidents, by those who hold the secret alone: HOOK_KEY=... python examples/receive_page.py PORT"""

import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

from schemas.signature import verify_webhook


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        ours = verify_webhook(body, self.headers, os.environ["HOOK_KEY"], now=time.time())
        if ours:
            told, delivery = json.loads(body), self.headers["webhook-id"]  # the same one may come again
            for each in told.get("incidents", [told]):  # a digest at the end of quiet hours has several
                print(delivery, each["severity"], each["service_name"], each["transition"], flush=True)
        self.send_response(204 if ours else 403)
        self.end_headers()


HTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()
