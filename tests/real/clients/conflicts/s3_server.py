"""The S3 of moto, in memory."""

import logging
import threading

from moto.server import ThreadedMotoServer

logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
host, port = server.get_host_and_port()
print(f"serves http://{host}:{port}", flush=True)
threading.Event().wait()
