"""What daemons have around what they serve, tried from outside.

    python3 serving_test.py SUBJECT [TEST...]
"""
import contextlib
import gzip
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest

# Far above what anything here takes.
PATIENCE = 20

READ, WRITE, ADMIN = ('r' * 32, 'w' * 32, 'a' * 32)


class Daemon:
    """The subject while it runs."""

    def __init__(self, *options, variables=None):
        self.process = subprocess.Popen(
            [SUBJECT, *options], stderr=subprocess.PIPE, text=True,
            env={**os.environ, **(variables or {})})
        self.lines = []
        self.grown = threading.Condition()
        self.reader = threading.Thread(target=self._read)
        self.reader.start()
        self.url = self.await_line(r'wallprof: serving at (\S+)/').group(1)
        self.port = int(self.url.rsplit(':', 1)[1])

    def _read(self):
        for line in self.process.stderr:
            with self.grown:
                self.lines.append(line)
                self.grown.notify_all()
        with self.grown:
            self.lines.append('ended\n')
            self.grown.notify_all()

    def find(self, pattern):
        return next(filter(None, (re.search(pattern, line)
                                  for line in self.lines)), None)

    def await_line(self, pattern):
        with self.grown:
            self.grown.wait_for(
                lambda: self.find(pattern) or self.find('^ended$'), PATIENCE)
            found = self.find(pattern)
        if found is None:
            raise AssertionError(f'no line has {pattern}: {self.lines}')
        return found

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self):
        status = self.process.wait(PATIENCE)
        self.reader.join()
        self.process.stderr.close()
        return status

    def request(self, method, path, body=None, headers=None, context=None):
        """The response, with its body in `content`."""
        if context is None:
            connection = http.client.HTTPConnection(
                '127.0.0.1', self.port, timeout=PATIENCE)
        else:
            connection = http.client.HTTPSConnection(
                'localhost', self.port, timeout=PATIENCE, context=context)
        with contextlib.closing(connection):
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            response.content = response.read()
            return response

    def connect(self):
        return socket.create_connection(('127.0.0.1', self.port), PATIENCE)

    def exchange(self, *parts):
        """Sends bytes as they are; what comes back until the end."""
        with self.connect() as connection:
            for part in parts:
                connection.sendall(part)
            return receive_all(connection)


def receive_all(connection):
    received = b''
    with contextlib.suppress(ConnectionResetError):
        while chunk := connection.recv(65536):
            received += chunk
    return received


def status_of(answer):
    return int(answer.split(b' ', 2)[1]) if answer else None


def post(*headers, path='/echo/1'):
    return '\r\n'.join([f'POST {path} HTTP/1.1', 'Host: localhost', *headers,
                        '', '']).encode('latin-1')


class DaemonTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)

    def start(self, *options, **more):
        daemon = Daemon(*options, **more)

        def end():
            if daemon.process.poll() is None:
                daemon.process.kill()
                daemon.wait()
        self.addCleanup(end)
        return daemon

    def write(self, name, text, mode=0o600):
        path = self.folder / name
        path.write_text(text, encoding='utf-8')
        path.chmod(mode)
        return str(path)

    def refused(self, *options):
        """What a subject says that does not start."""
        ended = subprocess.run([SUBJECT, *options], capture_output=True,
                               text=True, timeout=PATIENCE, check=False)
        self.assertEqual(ended.returncode, 1, ended)
        return ended.stderr


class LimitsTest(DaemonTest):
    def test_methods_paths_and_sizes(self):
        daemon = self.start('--max-body-mib', '1')
        whole = os.urandom(1 << 20)
        for method in 'POST', 'PUT', 'DELETE':
            response = daemon.request(method, '/any%20path/x?y=z', whole)
            self.assertEqual(response.status, 200)
            self.assertEqual(response.headers['X-Method'], method)
            self.assertEqual(response.content, whole)
        self.assertRegex(daemon.request('GET', '/').headers['X-Peer'],
                         r'^127\.0\.0\.1:\d+$')
        self.assertEqual(daemon.request('HEAD', '/').content, b'')
        self.assertEqual(daemon.request('POST', '/').content, b'')
        big = daemon.request('GET', '/big/50000000').content
        self.assertEqual(len(big), 50000000)
        self.assertEqual(daemon.stop(), 0)

    def test_bodies_are_bounded_however_they_are_framed(self):
        daemon = self.start('--max-body-mib', '0.0625')
        most = 1 << 16
        # Before any of it was sent.
        self.assertEqual(status_of(daemon.exchange(
            post(f'Content-Length: {most + 1}'))), 413)
        self.assertEqual(status_of(daemon.exchange(
            post('Content-Length: 99999999999999999999999'))), 413)
        # By a client that sends all before it reads.
        large = 15 * most
        self.assertEqual(status_of(daemon.exchange(
            post(f'Content-Length: {large}'), b'x' * large)), 413)
        answer = daemon.exchange(post('Expect: 100-continue',
                                      f'Content-Length: {most + 1}'))
        self.assertEqual(status_of(answer), 413)
        bytewise = b'1\r\nx\r\n' * most
        chunked = post('Transfer-Encoding: chunked')
        answer = daemon.exchange(chunked, bytewise, b'0\r\n\r\n')
        self.assertEqual(status_of(answer), 200)
        self.assertTrue(answer.endswith(b'\r\n\r\n' + b'x' * most))
        self.assertEqual(status_of(daemon.exchange(
            chunked, bytewise, b'1\r\nx\r\n0\r\n\r\n')), 413)
        self.assertEqual(status_of(daemon.exchange(
            chunked, f'{most + 1:x}\r\n'.encode(), b'x' * (most + 1))), 413)
        # Unpacked too.
        packed = gzip.compress(b'x' * most)
        bomb = gzip.compress(b'x' * (64 << 20))[:most]
        headers = {'Content-Encoding': 'gzip'}
        response = daemon.request('POST', '/', packed, headers)
        self.assertEqual(response.content, b'x' * most)
        response = daemon.request('POST', '/', bomb, headers)
        self.assertEqual(response.status, 413)
        self.assertEqual(daemon.request('POST', '/', 'x' * most).status, 200)
        metrics = daemon.request('GET', '/metrics').content
        self.assertIn(b'subject_requests_total{method="none",path="none",'
                      b'code="413"} 7', metrics)
        self.assertEqual(daemon.stop(), 0)

    def test_unclear_framing_is_refused(self):
        daemon = self.start()
        for headers in (
                ['Content-Length: 3', 'Content-Length: 3'],
                ['Content-Length: 3', 'Content-Length: 4'],
                ['Content-Length: 3', 'Transfer-Encoding: chunked'],
                ['Content-Length: -3'], ['Content-Length: +3'],
                ['Content-Length: 0x3'], ['Content-Length: 3, 3'],
                ['Transfer-Encoding: gzip, chunked'],
                ['Transfer-Encoding: identity'],
                ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked']):
            with self.subTest(headers=headers):
                self.assertEqual(status_of(daemon.exchange(
                    post(*headers), b'3\r\nabc\r\n0\r\n\r\n')), 400)
        for chunks in b'x\r\n', b'-1\r\nx\r\n', b'\r\n':
            with self.subTest(chunks=chunks):
                self.assertEqual(status_of(daemon.exchange(
                    post('Transfer-Encoding: chunked'), chunks + b'\r\n')), 400)
        self.assertEqual(daemon.stop(), 0)

    def test_slow_clients_are_given_up(self):
        daemon = self.start('--request-timeout', '300ms')
        self.assertEqual(status_of(daemon.exchange(b'GET / HT')), 408)
        self.assertEqual(status_of(daemon.exchange(
            post('Content-Length: 5'), b'abc')), 400)
        self.assertEqual(status_of(daemon.exchange(
            post('Transfer-Encoding: chunked'), b'5\r\nab')), 400)
        # One that trickles is bounded as a whole.
        with daemon.connect() as connection:
            start = time.monotonic()
            connection.settimeout(0.05)
            answer = b''
            while not answer and time.monotonic() < start + PATIENCE:
                connection.sendall(b'G')
                with contextlib.suppress(TimeoutError):
                    answer = connection.recv(100)
        self.assertEqual(status_of(answer), 408)
        self.assertEqual(daemon.stop(), 0)

    def test_connections_beyond_the_limit_are_told(self):
        daemon = self.start('--max-requests', '1')
        with contextlib.ExitStack() as silent:
            for _ in range(1 + 512 + 2):
                silent.enter_context(daemon.connect())
            answer = daemon.exchange(b'GET / HTTP/1.0\r\n\r\n')
            self.assertEqual(status_of(answer), 503)
            self.assertIn(b'\r\nRetry-After: ', answer)
        # Until those that are gone are worked off.
        deadline = time.monotonic() + PATIENCE
        while ((status := daemon.request('GET', '/health').status) == 503 and
               time.monotonic() < deadline):
            time.sleep(0.05)
        self.assertEqual(status, 200)
        self.assertEqual(daemon.stop(), 0)

    def test_nothing_that_is_echoed_breaks_a_header(self):
        daemon = self.start()
        response = daemon.request('GET', '/', headers={'X-Request-Id': 'a.b-1'})
        self.assertEqual(response.headers['X-Request-Id'], 'a.b-1')
        daemon.await_line(r'event=request id=a\.b-1 ')
        for value in ('a\rSet-Cookie: b', 'a b\r\n Set-Cookie: b', 'a b',
                      'a"b', 'a' * 129, '', '\x1b[0m', 'a\x00b'):
            with self.subTest(value=value):
                answer = daemon.exchange(post('X-Request-Id: ' + value))
                head = answer.split(b'\r\n\r\n')[0]
                self.assertNotIn(b'Set-Cookie', head)
                self.assertNotIn(b'\x1b', answer)
                if status_of(answer) == 200:
                    self.assertRegex(
                        head, rb'\r\nX-Request-Id: [0-9a-f]{32}(\r\n|$)')
        # What a line of the log shows of a target stays on it.
        daemon.exchange(b'GET /a"%0a HTTP/1.1\r\nHost: localhost\r\n\r\n')
        daemon.await_line(r'target="/a\\"%0a"')
        self.assertEqual(daemon.stop(), 0)

    def test_hosts_are_guarded(self):
        daemon = self.start('--allow-host', 'one,two')
        for host, status in (('evil.example', 403), ('two:1', 200),
                             ('localhost', 200), ('127.0.0.1', 200)):
            response = daemon.request('GET', '/', headers={'Host': host})
            self.assertEqual(response.status, status, host)
        self.assertEqual(daemon.stop(), 0)

    def test_what_the_api_throws_is_told(self):
        daemon = self.start('--log-format', 'json', '--log-level', 'warn')
        self.assertEqual(daemon.request('GET', '/throw').status, 500)
        self.assertEqual(daemon.request('GET', '/echo/2').status, 200)
        line = json.loads(daemon.await_line('^{.*exception.*').group())
        self.assertEqual((line['level'], line['what']), ('error', 'as told'))
        self.assertEqual(daemon.stop(), 0)
        self.assertIsNone(daemon.find('"event":"request"'))


class TlsTest(DaemonTest):
    def certificate(self, name, *options):
        """Files of a certificate for localhost and of its key."""
        cert, key = self.folder / f'{name}.crt', self.folder / f'{name}.key'
        subprocess.run(
            ['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
             'ec_paramgen_curve:prime256v1', '-days', '1', '-subj',
             f'/CN={name}', '-addext', 'subjectAltName=DNS:localhost',
             '-out', cert, '-keyout', key, *(options or ['-nodes'])],
            check=True, capture_output=True)
        return str(cert), str(key)

    def start_tls(self, cert, key, *options):
        return self.start('--tls-cert', cert, '--tls-key', key, *options)

    def test_serves_those_who_trust_it(self):
        cert, key = self.certificate('one')
        daemon = self.start_tls(cert, key)
        self.assertRegex(daemon.url, '^https://127')
        body = os.urandom(1 << 20)
        response = daemon.request('POST', '/', body,
                                  context=ssl.create_default_context(cafile=cert))
        self.assertEqual(response.content, body)
        url = f'https://localhost:{daemon.port}/health'
        got = subprocess.run(['curl', '-sS', '--cacert', cert, url],
                             capture_output=True, text=True, check=False)
        self.assertEqual(got.stdout, 'well\n', got.stderr)
        distrusted = subprocess.run(['curl', '-sS', url], capture_output=True,
                                    check=False)
        self.assertEqual(distrusted.returncode, 60)
        self.assertEqual(daemon.stop(), 0)

    def test_old_versions_are_refused(self):
        daemon = self.start_tls(*self.certificate('one'))
        for version, taken in ((ssl.TLSVersion.TLSv1_1, False),
                               (ssl.TLSVersion.TLSv1_2, True),
                               (ssl.TLSVersion.TLSv1_3, True)):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            context.set_ciphers('ALL:@SECLEVEL=0')
            with self.subTest(version=version):
                context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
                context.maximum_version = version
                if taken:
                    response = daemon.request('GET', '/health', context=context)
                    self.assertEqual(response.status, 200)
                    continue
                with self.assertRaisesRegex(ssl.SSLError, 'alert|ALERT'):
                    daemon.request('GET', '/health', context=context)
        self.assertEqual(daemon.stop(), 0)

    def test_those_of_another_protocol_are_told(self):
        daemon = self.start_tls(*self.certificate('one'),
                                '--request-timeout', '300ms')
        response = daemon.request('GET', '/health')
        self.assertEqual(response.status, 400)
        self.assertEqual(response.content, b'This port speaks HTTPS, not HTTP.\n')
        # Nothing in the clear for those who speak neither, or nothing at all.
        self.assertNotIn(b'HTTP', daemon.exchange(os.urandom(100)))
        self.assertEqual(daemon.exchange(), b'')
        self.assertEqual(daemon.stop(), 0)
        plain = self.start()
        with self.assertRaises(ssl.SSLError):
            plain.request('GET', '/', context=ssl.create_default_context())
        self.assertEqual(plain.request('GET', '/health').status, 200)
        self.assertEqual(plain.stop(), 0)

    def test_a_client_that_leaves_is_noticed(self):
        cert, key = self.certificate('one')
        daemon = self.start_tls(cert, key)
        context = ssl.create_default_context(cafile=cert)
        with context.wrap_socket(daemon.connect(),
                                 server_hostname='localhost') as connection:
            connection.sendall(b'GET /slow/10000 HTTP/1.0\r\n\r\n')
            daemon.await_line('slow began')
        daemon.await_line('slow was left')
        self.assertEqual(daemon.stop(), 0)

    def test_files_that_will_not_do_are_named(self):
        cert, key = self.certificate('one')
        _, other_key = self.certificate('two')
        _, locked = self.certificate('three', '-passout', 'pass:abcd')
        junk = self.write('junk', 'no PEM')
        for cert_file, key_file, named, why in (
                (cert, other_key, other_key, f'not that of the certificate in {cert}'),
                (junk, key, junk, 'the certificate cannot be read'),
                (cert, junk, junk, 'the key cannot be read'),
                (cert, locked, locked, 'the key cannot be read'),
                ('/no/cert', key, '/no/cert',
                 'the certificate cannot be read (No such file'),
                (cert, '/no/key', '/no/key',
                 'the key cannot be read (No such file')):
            with self.subTest(cert=cert_file, key=key_file):
                said = self.refused('--tls-cert', cert_file, '--tls-key', key_file)
                self.assertRegex(said, f'^wallprof: {named}: ')
                self.assertIn(why, said)

    def test_files_are_read_again(self):
        cert, key = self.certificate('one')
        daemon = self.start_tls(cert, key)
        new_cert, new_key = self.certificate('two')
        os.replace(new_cert, cert)
        os.replace(new_key, key)
        daemon.process.send_signal(signal.SIGHUP)
        daemon.await_line('^reloaded$')
        daemon.await_line('event=reloaded what=certificate')
        context = ssl.create_default_context(cafile=cert)
        self.assertEqual(
            daemon.request('GET', '/health', context=context).status, 200)
        pathlib.Path(cert).write_text('junk', encoding='utf-8')
        daemon.process.send_signal(signal.SIGHUP)
        daemon.await_line('event=not_reloaded what=certificate error=')
        self.assertEqual(
            daemon.request('GET', '/health', context=context).status, 200)
        self.assertEqual(daemon.stop(), 0)


class TokensTest(DaemonTest):
    def start_with(self, text, *options):
        self.path = self.write('tokens', text)
        return self.start('--tokens', self.path, *options)

    @staticmethod
    def bearer(token):
        return {'Authorization': f'Bearer {token}'} if token else {}

    def test_each_scope_reaches_what_it_says(self):
        daemon = self.start_with(
            f'# all\nread {READ}\nwrite {WRITE}\nadmin {ADMIN}\n')
        for token, statuses in ((None, (401, 401, 401)),
                                ('x' * 32, (401, 401, 401)),
                                (READ, (200, 403, 403)),
                                (WRITE, (403, 200, 403)),
                                (ADMIN, (200, 200, 200))):
            for method, status in zip(('GET', 'POST', 'DELETE'), statuses):
                with self.subTest(token=token, method=method):
                    response = daemon.request(method, '/echo/1', 'abc',
                                              self.bearer(token))
                    self.assertEqual(response.status, status)
                    challenge = response.headers['WWW-Authenticate'] or ''
                    self.assertEqual(challenge.startswith('Bearer '),
                                     status != 200)
        self.assertEqual(daemon.request('GET', '/health').status, 200)
        self.assertEqual(daemon.request('GET', '/ready').status, 200)
        self.assertEqual(daemon.request('GET', '/metrics').status, 401)
        metrics = daemon.request('GET', '/metrics', headers=self.bearer(READ))
        self.assertIn(b'{method="GET",path="/echo/<id>",code="401"} 2\n',
                      metrics.content)
        # Before a body is taken.
        self.assertEqual(status_of(daemon.exchange(
            post('Content-Length: 100000'))), 401)
        self.assertEqual(status_of(daemon.exchange(
            post('Content-Length: 100000', 'Expect: 100-continue'))), 401)
        self.assertEqual(daemon.stop(), 0)
        for token in READ, WRITE, ADMIN:
            self.assertNotIn(token, ''.join(daemon.lines))

    def test_the_file_is_read_again(self):
        daemon = self.start_with(f'read {READ}\n')
        self.write('tokens', f'read {ADMIN}\n')
        daemon.process.send_signal(signal.SIGHUP)
        daemon.await_line('event=reloaded what=tokens')
        for token, status in (READ, 401), (ADMIN, 200):
            response = daemon.request('GET', '/', headers=self.bearer(token))
            self.assertEqual(response.status, status)
        self.write('tokens', f'read {READ}\nreader {READ}\n')
        daemon.process.send_signal(signal.SIGHUP)
        line = daemon.await_line('event=not_reloaded what=tokens error="(.*?)"')
        self.assertTrue(line.group(1).startswith(f'{self.path}:2: the scope'))
        response = daemon.request('GET', '/', headers=self.bearer(ADMIN))
        self.assertEqual(response.status, 200)
        self.assertEqual(daemon.stop(), 0)

    def test_bad_files_are_named(self):
        bad = self.write('bad', 'read\n')
        self.assertEqual(
            self.refused('--tokens', bad),
            f'wallprof: {bad}:1: a line is a scope and a token: read TOKEN\n')
        self.assertIn('/no/file', self.refused('--tokens', '/no/file'))

    def test_open_doors_are_told(self):
        public = self.write('public', f'read {READ}\n', 0o644)
        daemon = self.start('--tokens', public)
        daemon.await_line('level=warn event=tokens .*can be read by everybody')
        self.assertEqual(daemon.stop(), 0)
        self.assertIsNone(daemon.find('event=(open|plain)'))
        daemon = self.start('--tokens', public, '--listen', '0.0.0.0:0')
        daemon.await_line('level=warn event=plain ')
        # Known by any name there, but to no page of a stranger's.
        named = {'Host': 'collector', **self.bearer(READ)}
        self.assertEqual(
            daemon.request('GET', '/', headers=named).status, 200)
        named['Origin'] = 'http://evil.example'
        self.assertEqual(
            daemon.request('GET', '/', headers=named).status, 403)
        self.assertEqual(daemon.stop(), 0)
        daemon = self.start('--listen', '0.0.0.0:0')
        daemon.await_line('level=warn event=open .*no --tokens')
        self.assertEqual(daemon.stop(), 0)


class StopTest(DaemonTest):
    def begin_slow(self, daemon, milliseconds):
        """A connection on which a slow request runs."""
        connection = daemon.connect()
        self.addCleanup(connection.close)
        connection.sendall(f'GET /slow/{milliseconds} HTTP/1.0\r\n\r\n'.encode())
        daemon.await_line('slow began')
        return connection

    def test_requests_that_run_are_answered(self):
        daemon = self.start()
        running = self.begin_slow(daemon, 500)
        with daemon.connect() as waiting:
            waiting.sendall(b'GET /rea')
            daemon.process.send_signal(signal.SIGTERM)
            daemon.await_line('event=stopping')
            deadline = time.monotonic() + PATIENCE
            with self.assertRaises(ConnectionError):
                while time.monotonic() < deadline:
                    daemon.connect().close()
                    time.sleep(0.01)
            waiting.sendall(b'dy HTTP/1.0\r\n\r\n')
            self.assertEqual(status_of(receive_all(waiting)), 503)
        self.assertTrue(receive_all(running).endswith(b'done'))
        self.assertEqual(daemon.wait(), 0)
        daemon.await_line('event=stopped')

    def test_requests_that_last_are_cancelled(self):
        daemon = self.start('--exit-timeout', '200ms')
        running = self.begin_slow(daemon, 60000)
        daemon.process.send_signal(signal.SIGINT)
        self.assertEqual(daemon.wait(), 0)
        running.close()
        daemon.await_line('slow was left')
        daemon.await_line('event=cancelled requests=1')

    def test_a_second_signal_ends_it_at_once(self):
        daemon = self.start('--exit-timeout', '1h')
        self.begin_slow(daemon, 60000)
        daemon.process.send_signal(signal.SIGTERM)
        daemon.await_line('event=stopping')
        daemon.process.send_signal(signal.SIGTERM)
        self.assertEqual(daemon.wait(), -signal.SIGTERM)
        daemon.await_line('event=killed')

    def test_an_address_in_use_is_told(self):
        daemon = self.start()
        self.assertRegex(
            self.refused('--listen', f'127.0.0.1:{daemon.port}'),
            'wallprof: Cannot listen on 127.0.0.1:.*in use')
        self.assertEqual(daemon.stop(), 0)

    def test_a_socket_file_goes_with_it(self):
        path = self.folder / 'socket'
        process = subprocess.Popen([SUBJECT, '--listen', f'unix:{path}'],
                                   stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stderr.close)
        for line in process.stderr:
            if line.startswith('wallprof: serving'):
                break
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(path))
            connection.sendall(b'GET /health HTTP/1.0\r\n\r\n')
            self.assertEqual(status_of(receive_all(connection)), 200)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(PATIENCE), 0)
        self.assertFalse(path.exists())


if __name__ == '__main__':
    SUBJECT = sys.argv.pop(1)
    unittest.main()
