"""A Django application with one form and nothing but Django's own CSRF protection."""

from wsgiref.simple_server import make_server

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="a test's",
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["*"],
    MIDDLEWARE=["django.middleware.csrf.CsrfViewMiddleware"],
)
django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.middleware.csrf import get_token  # noqa: E402
from django.urls import path  # noqa: E402


def form(request):
    return HttpResponse(get_token(request) if request.method == "GET" else "posted")


urlpatterns = [path("form", form), path("base/form", form)]

if __name__ == "__main__":
    server = make_server("127.0.0.1", 0, get_wsgi_application())
    print(f"serves http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
