"""An https server that sets every sort of cookie that needs TLS, and says which it gets back."""

import datetime
import http.server
import ipaddress
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

COOKIES = [
    "plain=1",
    "secure=1; Secure",
    "none=1; Secure; SameSite=None",
    "parted=1; Secure; SameSite=None; Partitioned",
    "__Secure-name=1; Secure",
    "__Host-name=1; Secure; Path=/",
]

key = ec.generate_private_key(ec.SECP256R1())
name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
now = datetime.datetime.now(datetime.timezone.utc)
address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
certificate = (
    x509.CertificateBuilder()
    .subject_name(name)
    .issuer_name(name)
    .public_key(key.public_key())
    .serial_number(1)
    .not_valid_before(now - datetime.timedelta(days=1))
    .not_valid_after(now + datetime.timedelta(days=1))
    .add_extension(address, critical=False)
    .sign(key, hashes.SHA256())
)
with open("server.pem", "wb") as file:
    encoding, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    file.write(key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain))
    file.write(certificate.public_bytes(encoding))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = self.headers.get("Cookie", "").encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        if self.path == "/set":
            for cookie in COOKIES:
                self.send_header("Set-Cookie", cookie)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("server.pem")
server.socket = context.wrap_socket(server.socket, server_side=True)
print(f"serves https://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
