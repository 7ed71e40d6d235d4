"""A collector that answers exactly as profefe's does, or as it is told to.

Statuses, envelope, texts and times are profefe's (API v0). Nothing is stored
but in memory. Each POST takes the next of `faults`, which stand for what goes
wrong between agents and collectors:

    '500'       answers so and stores nothing
    '413', '429', '503'  likewise; 429 and 503 with Retry-After: 1
    'hang'      reads all and never answers
    'slow'      answers after a second
    'reset'     resets the connection in the middle of the body
    'lost'      stores it, and resets the connection before it answers
    'envelope'  answers 200 with a web page
    'close'     closes the connection without a word
"""
import datetime
import gzip
import http.server
import json
import socket
import ssl
import struct
import threading
import time
import urllib.parse

TYPES = {'cpu', 'heap', 'block', 'mutex', 'goroutine', 'threadcreate', 'other',
         'trace'}
TIME_FORMAT = '%Y-%m-%dT%H:%M:%S'


def parse_labels(text):
    """As profefe reads them: unescaped once more than the query is."""
    labels = []
    for pair in text.split(','):
        if not pair:
            continue
        key, _, value = pair.partition('=')
        key = urllib.parse.unquote_plus(key.strip())
        value = urllib.parse.unquote_plus(value.strip())
        if key:
            labels.append({'key': key, 'value': value})
    return sorted(labels, key=lambda label: label['key'])


class Refusal(Exception):
    def __init__(self, code, text):
        super().__init__(text)
        self.code = code


def parse_time(name, text):
    # No zone: 2006-01-02T15:04:05Z is refused.
    try:
        return datetime.datetime.strptime(text, TIME_FORMAT)
    except ValueError:
        raise Refusal(400, f'bad request: bad "{name}" "{text}": '
                      f'time in unsupported format "{text}"') from None


class StandInCollector:
    """Runs while it is a context; `url` is its base."""

    def __init__(self, faults=(), types=None, port=0, certificate=None):
        self.faults = list(faults)
        self.types = types  # what /version says of them; None: profefe's
        self.profiles = []  # each a dict, with 'body' beside profefe's names
        self.requests = []  # (time, method, path and query)
        self.headers = []   # of the POSTs
        self.lock = threading.Lock()
        self.closing = threading.Event()
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                collector.handle(self, 'GET')

            def do_POST(self):
                collector.handle(self, 'POST')

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            allow_reuse_address = True
            daemon_threads = True
            block_on_close = False

            def handle_error(self, *_):
                pass  # connections that the agent ends

        self.server = Server(('127.0.0.1', port), Handler)
        self.port = self.server.server_address[1]
        self.url = f'http://127.0.0.1:{self.port}'
        if certificate:  # a file with a certificate and its key
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.server.socket = context.wrap_socket(self.server.socket,
                                                     server_side=True)
            self.url = f'https://127.0.0.1:{self.port}'

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever,
                         kwargs={'poll_interval': 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()

    def await_profiles(self, count, seconds=20):
        end = time.monotonic() + seconds
        while len(self.profiles) < count and time.monotonic() < end:
            time.sleep(0.02)
        with self.lock:
            return list(self.profiles)

    # --- answers -------------------------------------------------------------

    def handle(self, request, method):
        url = urllib.parse.urlsplit(request.path)
        query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        with self.lock:
            self.requests.append((time.monotonic(), method, request.path))
        try:
            if url.path == '/api/0/version':
                self.reply(request, 200, self.version())
            elif url.path == '/api/0/profiles' and method == 'POST':
                self.post(request, query)
            elif url.path == '/api/0/profiles':
                self.reply(request, 200, self.find(query))
            else:
                raise Refusal(404, 'nothing found')
        except Refusal as refusal:
            self.reply(request, refusal.code, None, str(refusal))

    def version(self):
        body = {'version': 'git-7f4b3a1', 'commit': '7f4b3a1',
                'build_time': '', 'go_version': 'go1.13'}
        if self.types is not None:
            body['types'] = sorted(self.types)
        return body

    def reply(self, request, code, body=None, error='', headers=()):
        envelope = {'code': code}
        if body:
            envelope['body'] = body
        if error:
            envelope['error'] = error
        text = json.dumps(envelope).encode()
        request.send_response(code)
        for name, value in headers:
            request.send_header(name, value)
        # profefe sets the type after the status, so that Go's server sniffs.
        request.send_header('Content-Type', 'text/plain; charset=utf-8')
        request.send_header('Content-Length', str(len(text)))
        request.end_headers()
        request.wfile.write(text)

    def post(self, request, query):
        with self.lock:
            fault = self.faults.pop(0) if self.faults else ''
            self.headers.append(dict(request.headers))
        length = int(request.headers['Content-Length'])
        if fault == 'reset':
            request.rfile.read(length // 2)
            return self.reset(request)
        if fault == '413':
            # Before the body is read, as servers do that limit it.
            self.reply(request, 413, None, 'too large')
            request.rfile.read(length)
            return None
        body = request.rfile.read(length)
        if fault == 'hang':
            self.closing.wait(60)
            return None
        if fault == 'close':
            request.close_connection = True
            return None
        if fault == 'envelope':
            request.send_response(200)
            request.end_headers()
            request.wfile.write(b'<html>Please log in.</html>')
            return None
        if fault in ('429', '503'):
            return self.reply(request, int(fault), None, 'too many',
                              [('Retry-After', '1')])
        if fault == '500':
            raise Refusal(500, 'failed to collect profile')
        if fault == 'slow':
            time.sleep(1)
        stored = self.store(query, body)
        if fault == 'lost':
            return self.reset(request)
        return self.reply(request, 200, stored)

    def reset(self, request):
        request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                      struct.pack('ii', 1, 0))
        request.connection.close()
        request.close_connection = True

    def known_types(self):
        return TYPES | (self.types or set())

    def store(self, query, body):
        for name in ('service', 'type'):
            if not query.get(name):
                raise Refusal(400, f'bad request: missing "{name}"')
        if query['type'] not in self.known_types():
            raise Refusal(400, 'bad request: unknown profile type')
        created = datetime.datetime.utcnow()
        if 'created_at' in query:
            created = parse_time('created_at', query['created_at'])
        try:
            if query['type'] != 'trace':
                body[:2] == b'\x1f\x8b' and gzip.decompress(body)
        except OSError as error:
            raise Refusal(400, 'malformed profile (could not parse pprof '
                          f'profile: {error})') from None
        with self.lock:
            profile = {'id': f'{len(self.profiles):020d}',
                       'type': query['type'], 'service': query['service'],
                       'labels': parse_labels(query.get('labels', '')),
                       'created_at': created.strftime(TIME_FORMAT) + 'Z'}
            self.profiles.append(dict(profile, body=body))
        return profile

    def find(self, query):
        for name in ('service', 'from', 'to'):
            if not query.get(name):
                raise Refusal(400, f'bad request: missing "{name}"')
        begin = parse_time('from', query['from'])
        end = parse_time('to', query['to'])
        wanted = parse_labels(query.get('labels', ''))
        with self.lock:
            found = [
                {name: profile[name] for name in profile if name != 'body'}
                for profile in self.profiles
                if profile['service'] == query['service'] and
                query.get('type') in (None, profile['type']) and
                begin.strftime(TIME_FORMAT) <= profile['created_at'][:-1] <=
                end.strftime(TIME_FORMAT) and
                all(label in profile['labels'] for label in wanted)]
        if not found:
            raise Refusal(404, 'nothing found')
        return sorted(found, key=lambda profile: profile['created_at'])
