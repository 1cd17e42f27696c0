"""Run by pywb's own interpreter: replays the collections of the working directory, and prints its port."""

from __future__ import annotations

from gevent.pywsgi import WSGIServer
from pywb.apps.wayback import application
from pywb.utils.geventserver import RequestURIWSGIHandler

# Their command takes no free port and tells none.
server = WSGIServer(("127.0.0.1", 0), application, handler_class=RequestURIWSGIHandler)
server.start()
print(server.server_port, flush=True)  # noqa: T201 - what the parent waits for
server.serve_forever()
