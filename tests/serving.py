"""A web server on loopback that serves one file, well or badly."""

import contextlib
import http.server
import threading


class Server:
    """Serves `content` at every path. Each request takes the next entry of `plan`; the last entry serves all others.

    "good"              the whole file
    ("cut", n)          breaks off after n bytes
    ("unsized", n)      likewise, without a Content-Length
    ("stall", n)        sends nothing more after n bytes
    "drop"              hangs up
    "loop"              redirects to itself; "elsewhere": to /good, which is good; "ftp": to another protocol
    404                 this status
    """

    def __init__(self, content: bytes, *plan):
        self.content, self.plan, self.requests = content, list(plan) or ["good"], []
        self.done = threading.Event()

    def next_way(self, request) -> tuple:
        self.requests.append(request.path)
        way = self.plan.pop(0) if len(self.plan) > 1 else self.plan[0]
        return way if isinstance(way, tuple) else (way,)


@contextlib.contextmanager
def serving(server: Server):
    """Run a server, and give its address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

        def do_GET(self):
            with contextlib.suppress(ConnectionError):  # the client may hang up
                answer(self, server, *server.next_way(self))

    service = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=service.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{service.server_port}"
    finally:
        server.done.set()
        service.shutdown()
        service.server_close()
        thread.join()


def answer(request, server: Server, way, at=None) -> None:
    if way == "drop":
        return
    places = {"loop": request.path, "elsewhere": "/good", "ftp": "ftp://127.0.0.1/file"}
    if way in places and request.path != "/good":
        request.send_response(302)
        request.send_header("Location", places[way])
        request.end_headers()
        return
    if isinstance(way, int):
        request.send_error(way)
        return
    request.send_response(200)
    if way != "unsized":
        request.send_header("Content-Length", str(len(server.content)))
    request.end_headers()
    request.wfile.write(server.content[:at])
    request.wfile.flush()
    if way == "stall":
        server.done.wait(5)
