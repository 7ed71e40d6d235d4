"""A program that serves profiles under /debug/pprof/, as Go's do."""
import gzip
import http.server
import threading
import time
import urllib.parse


def varint(value):
    out = b''
    while True:
        out += bytes([value & 0x7f | (0x80 if value > 0x7f else 0)])
        value >>= 7
        if not value:
            return out


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def small_profile(time_ns):
    """A profile.proto of one sample, gzipped."""
    names = [b'', b'samples', b'count', b'main']
    message = field(1, field(1, 1) + field(2, 2))  # sample_type
    message += field(2, field(1, varint(1)) + field(2, varint(1)))  # sample
    message += field(4, field(1, 1) + field(4, field(1, 1)))  # location
    message += field(5, field(1, 1) + field(2, 3))  # function
    for name in names:
        message += field(6, name)
    message += field(9, time_ns)
    return gzip.compress(message)


class StandInTarget:
    """Runs while it is a context. Has not what is `missing`."""

    TRACE = b'go 1.11 trace\0\0\0' + b'\x01\x02'

    def __init__(self, missing=(), hangs=False):
        self.paths = []
        self.closing = threading.Event()
        target = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                target.paths.append(self.path)
                name = urllib.parse.urlsplit(self.path).path.split('/')[-1]
                if hangs:
                    target.closing.wait(60)
                    return
                if name in missing:
                    self.send_error(404)
                    return
                body = (target.TRACE if name == 'trace' else
                        small_profile(time.time_ns()))
                self.send_response(200)
                self.send_header('Content-Length', str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.server.daemon_threads = True
        self.server.block_on_close = False
        self.port = self.server.server_address[1]

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever,
                         kwargs={'poll_interval': 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()
