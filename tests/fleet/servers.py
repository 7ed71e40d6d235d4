"""Servers of others for tests, and what goes wrong on the way to them.

    with servers.Postgres() as postgres, servers.S3Server(modules) as s3, \\
            servers.FaultProxy(s3.endpoint) as proxy:
        subprocess.run([..., postgres.url], env={**os.environ, **s3.environment})

Each serves on a port of its own on the loopback interface, keeps what it has in
a directory of its own, and is gone with its block, or with the process.
"""
import glob
import http.client
import http.server
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

PATIENCE_SECONDS = 60  # of a machine that does much else


def free_port():
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        return taken.getsockname()[1]


def as_user(name):
    """The words before a command that make it run as `name`, if we are root,
    and end with us."""
    words = ['setpriv', '--pdeathsig', 'INT']
    if os.geteuid() == 0:
        user = pwd.getpwnam(name)
        words += [f'--reuid={user.pw_uid}', f'--regid={user.pw_gid}',
                  '--clear-groups']
    return [*words, '--']


class Postgres:
    """PostgreSQL, with the databases that are asked for.

    It is started again whenever it ends, as it is where it is in service; so
    `kill` and the shell command `kill_command` are restarts. What it has
    acknowledged survives those, though not the machine: it does not wait for
    the disk.
    """

    USER = 'wallprof'

    def __init__(self, settings=()):
        installed = sorted(glob.glob('/usr/lib/postgresql/*/bin'))
        if not installed:
            raise FileNotFoundError('PostgreSQL is not installed')
        self.programs = pathlib.Path(installed[-1])
        self.settings = settings
        self.directory = pathlib.Path(tempfile.mkdtemp())
        self.data = self.directory / 'data'
        self.log = self.directory / 'log'
        self.port = free_port()
        self.stopping = threading.Event()
        self.keeper = threading.Thread(target=self._keep, daemon=True)

    def __enter__(self):
        try:
            if os.geteuid() == 0:
                shutil.chown(self.directory, 'postgres', 'postgres')
            self._run('initdb', '-D', self.data, '-A', 'trust', '-U', self.USER,
                      '--no-sync', '--no-instructions', '--locale=C',
                      '--encoding=UTF8')
            self.keeper.start()
            self.wait_until_up()
            self.url = self.make_database('wallprof')
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.stopping.set()
        if self.keeper.is_alive():
            self.kill('INT')
            self.keeper.join(PATIENCE_SECONDS)
        shutil.rmtree(self.directory)

    def make_database(self, name):
        """The URL of a new, empty one."""
        self._run('createdb', *self._at(), name)
        return f'postgresql://{self.USER}@127.0.0.1:{self.port}/{name}'

    def query(self, database, sql):
        """What psql prints of it: a line for each row, with | between."""
        return self._run('psql', *self._at(), '-XAtqc', sql, database)

    @property
    def kill_command(self):
        """Ends it without a word to clients, as kill('QUIT') does."""
        return f'kill -QUIT $(head -n 1 {self.data}/postmaster.pid)'

    def kill(self, name='QUIT'):
        """INT: its clients are told. QUIT: they are not. KILL: nor is it."""
        try:
            pid = int((self.data / 'postmaster.pid').read_text().split()[0])
            os.kill(pid, signal.Signals['SIG' + name])
        except (FileNotFoundError, ProcessLookupError, IndexError):
            pass  # it is down now

    def wait_until_up(self):
        end = time.monotonic() + PATIENCE_SECONDS
        while subprocess.run([self.programs / 'pg_isready', '-q', *self._at()],
                             check=False).returncode != 0:
            if time.monotonic() > end:
                raise TimeoutError(self.log.read_text())
            time.sleep(0.05)

    def _at(self):
        return ['-h', self.directory, '-p', str(self.port), '-U', self.USER]

    def _run(self, program, *arguments):
        done = subprocess.run(
            [*as_user('postgres'), self.programs / program, *arguments],
            cwd=self.directory, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f'{program}: {done.stderr}')
        return done.stdout

    def _keep(self):
        # Who waits for each other is told so at once.
        settings = ['fsync=off', 'deadlock_timeout=50ms',
                    'listen_addresses=127.0.0.1',
                    f'port={self.port}', f'unix_socket_directories='
                    f'{self.directory}', *self.settings]
        while not self.stopping.is_set():
            with open(self.log, 'ab') as log:
                subprocess.run(
                    [*as_user('postgres'), self.programs / 'postgres', '-D',
                     self.data, *(word for setting in settings
                                  for word in ('-c', setting))],
                    cwd=self.directory, stdin=subprocess.DEVNULL, stdout=log,
                    stderr=log, check=False)
            self.stopping.wait(0.1)


class Nats:
    """A NATS server with JetStream.

    It is started again whenever it ends, unless it is held: `hold_command` ends
    it without a word and keeps it away, `release_command` lets it come back,
    `kill_command` does one after the other. `pid_file` has its process, for
    those who would have it stand still. What it has is kept.
    """

    def __init__(self, *arguments):
        # It is kept where users have no path to.
        self.program = shutil.which('nats-server') or '/usr/sbin/nats-server'
        self.arguments = arguments
        self.directory = pathlib.Path(tempfile.mkdtemp())
        self.pid_file = self.directory / 'pid'
        self.held = self.directory / 'held'
        self.log = self.directory / 'log'
        self.port = free_port()
        self.host = f'127.0.0.1:{self.port}'
        self.kill_command = f'kill -KILL $(cat {self.pid_file})'
        self.hold_command = f'touch {self.held}; {self.kill_command}'
        self.release_command = f'rm {self.held}'
        self.stopping = threading.Event()
        self.keeper = threading.Thread(target=self._keep, daemon=True)

    def __enter__(self):
        self.keeper.start()
        try:
            self.wait_until_up()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.kill()
        self.keeper.join(PATIENCE_SECONDS)
        shutil.rmtree(self.directory)

    def kill(self):
        # It may be standing still, or be down now.
        subprocess.run(['sh', '-c', self.kill_command], check=False,
                       stderr=subprocess.DEVNULL)

    def wait_until_up(self):
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                socket.create_connection(('127.0.0.1', self.port)).close()
                return
            except OSError as error:
                if time.monotonic() > end:
                    raise TimeoutError(self.log.read_text()) from error
            time.sleep(0.02)

    def _keep(self):
        while not self.stopping.is_set():
            if not self.held.exists():
                subprocess.run(
                    ['setpriv', '--pdeathsig', 'KILL', '--', self.program,
                     '-a', '127.0.0.1', '-p', str(self.port), '-js', '-sd',
                     self.directory / 'data', '-P', self.pid_file, '-l',
                     self.log, *self.arguments],
                    stdin=subprocess.DEVNULL, check=False)
            self.stopping.wait(0.05)


class S3Server:
    """A store that speaks S3, with one bucket.

    `modules` is where npm has put s3rver.
    """

    BUCKET = 'profiles'

    def __init__(self, modules):
        self.modules = modules
        self.directory = None
        self.server = None
        # What its clients need besides the URL.
        self.environment = {'AWS_ACCESS_KEY_ID': 'S3RVER',
                            'AWS_SECRET_ACCESS_KEY': 'S3RVER'}

    def __enter__(self):
        self.directory = tempfile.mkdtemp()
        self.server = subprocess.Popen(
            # It makes its tokens with a cipher that OpenSSL has put aside.
            ['node', '--openssl-legacy-provider',
             pathlib.Path(__file__).with_name('objects') / 's3_server.js',
             self.directory, self.BUCKET],
            env={**os.environ, 'NODE_PATH': str(self.modules)}, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            self.endpoint = f'http://127.0.0.1:{int(self.server.stdout.readline())}'
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        with self.server:
            self.server.stdin.close()  # ends it
        shutil.rmtree(self.directory)

    def url(self, prefix='', endpoint=None):
        path = '/' + prefix if prefix else ''
        return (f's3://{self.BUCKET}{path}'
                f'?endpoint={endpoint or self.endpoint}')


class QuietServer(http.server.ThreadingHTTPServer):
    """Says nothing of clients that are killed amid a request."""

    daemon_threads = True
    block_on_close = False

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class FaultProxy:
    """Stands before an HTTP server, and does to requests what it is told.

    Faults are given one a request, by `script` or as the body of a POST to
    /faults, with spaces between; afterwards all is well:

        ok           passed on
        503          refused, as by a store that is busy
        late         passed on, after a while
        half         answered with half of the body
        drop-before  the connection ends; the server knows nothing of it
        drop-after   the connection ends; the server has done it

    "PUT:503" waits for the next PUT; what others ask meanwhile is passed on.
    """

    LATE_SECONDS = 0.1
    BUSY = (b'<Error><Code>SlowDown</Code>'
            b'<Message>Reduce your request rate.</Message></Error>')

    def __init__(self, endpoint):
        self.target = urllib.parse.urlsplit(endpoint).netloc
        self.lock = threading.Lock()
        self.faults = []
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'
            # An answer is sent at once, whole.
            disable_nagle_algorithm = True
            wbufsize = -1

            def handle_any(self):
                proxy.handle(self)

            do_GET = do_PUT = do_DELETE = do_POST = do_HEAD = handle_any

            def log_message(self, *_):
                pass  # what matters is in the answers

        self.server = QuietServer(('127.0.0.1', 0), Handler)
        self.endpoint = f'http://127.0.0.1:{self.server.server_port}'
        self.thread = threading.Thread(target=self.server.serve_forever)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def script(self, faults):
        with self.lock:
            self.faults = faults.split()

    def _next_fault(self, method):
        with self.lock:
            if not self.faults:
                return 'ok'
            of, _, fault = self.faults[0].rpartition(':')
            if of not in ('', method):
                return 'ok'
            self.faults.pop(0)
            return fault

    def handle(self, asked):
        body = asked.rfile.read(int(asked.headers.get('Content-Length', 0)))
        if (asked.command, asked.path) == ('POST', '/faults'):
            self.script(body.decode())
            self._answer(asked, 200, {}, b'')
            return
        fault = self._next_fault(asked.command)
        if fault == '503':
            self._answer(asked, 503, {}, self.BUSY)
            return
        if fault == 'late':
            time.sleep(self.LATE_SECONDS)
        asked.close_connection = fault in ('half', 'drop-before', 'drop-after')
        if fault == 'drop-before':
            return
        status, headers, answer = self._pass_on(asked, body)
        if fault != 'drop-after':
            self._answer(asked, status, headers, answer,
                         send=len(answer) // (2 if fault == 'half' else 1))

    def _pass_on(self, asked, body):
        connection = http.client.HTTPConnection(self.target)
        try:
            connection.request(asked.command, asked.path, body or None,
                               dict(asked.headers))
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    @staticmethod
    def _answer(asked, status, headers, body, send=None):
        asked.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in ('connection', 'content-length',
                                    'transfer-encoding', 'keep-alive'):
                asked.send_header(name, value)
        if status != 204:
            asked.send_header('Content-Length', str(len(body)))
        asked.end_headers()
        if asked.command != 'HEAD':
            asked.wfile.write(body[:send])
