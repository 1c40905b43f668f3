"""WsgiDAV with a folder of its own, below `/dav`."""

import os
import pathlib
from wsgiref.simple_server import WSGIRequestHandler, make_server

from werkzeug.wsgi import get_input_stream
from wsgidav.wsgidav_app import WsgiDAVApp

folder = pathlib.Path(os.getcwd(), "files")
(folder / "dav").mkdir(parents=True)


class Handler(WSGIRequestHandler):
    def log_message(self, *_):
        pass


application = WsgiDAVApp(
    {
        "provider_mapping": {"/": str(folder)},
        "simple_dc": {"user_mapping": {"*": True}},
        "http_authenticator": {"accept_basic": True, "accept_digest": False, "default_to_digest": False},
        "lock_storage": True,
        "property_manager": True,
        "verbose": 0,
        "logging": {"enable": False},
    }
)


def bounded(environ, start_response):
    # It reads to the end of what it is given, which wsgiref does not tell.
    environ["wsgi.input"] = get_input_stream(environ)
    return application(environ, start_response)


server = make_server("127.0.0.1", 0, bounded, handler_class=Handler)
print(f"serves http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
