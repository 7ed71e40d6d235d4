"""`wallprof pgo scrape`, tried from outside.

    python3 scrape_program_test.py WALLPROF [TEST...]
"""
import base64
import contextlib
import http.server
import json
import os
import pathlib
import signal
import ssl
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import pipeline  # noqa: E402

TOKEN = 't' * 32

# An hour, which no test waits for.
LONG = ['--duration', '3600s']


class StandIn:
    """A server that is asked for profiles, for uploads and as Kubernetes is."""

    def __init__(self, context=None):
        self.asked = []
        self.answers = {}  # of paths without their query, instead of a profile
        self.changed = threading.Condition()
        stand_in = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def handle_any(self):
                stand_in.handle(self)

            do_GET = do_POST = handle_any

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.server.daemon_threads = True
        self.server.block_on_close = False
        # Whoever cannot shake hands harms no other.
        self.server.handle_error = lambda *_: None
        if context:
            self.server.socket = context.wrap_socket(
                self.server.socket, server_side=True,
                do_handshake_on_connect=False)
        self.port = self.server.server_port
        self.url = f'{"https" if context else "http"}://127.0.0.1:{self.port}'
        self.thread = threading.Thread(target=self.server.serve_forever,
                                       args=(0.02,))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def handle(self, asked):
        body = asked.rfile.read(int(asked.headers.get('Content-Length', 0)))
        path = asked.path.partition('?')[0]
        with self.changed:
            self.asked.append((asked.command, asked.path, dict(asked.headers),
                               body))
            self.changed.notify_all()
            answer = self.answers.get(path)
        if answer == 'never':
            threading.Event().wait()
        status = 200
        if asked.command == 'POST':
            status, answer = 201, '{"key":"shop/staging/1"}'
        text = (answer or 'a profile').encode()
        asked.send_response(status)
        asked.send_header('Content-Length', str(len(text)))
        asked.end_headers()
        asked.wfile.write(text)

    def count(self, method, path):
        with self.changed:
            return sum(one[0] == method and one[1].startswith(path)
                       for one in self.asked)

    def await_more(self, method, path, more=2):
        """Until it is asked that often from now on."""
        self.await_asked(method, path, self.count(method, path) + more)

    def await_asked(self, method, path, wanted=1):
        pipeline.await_that(lambda: self.count(method, path) >= wanted,
                            lambda: f'{method} {path} of {self.asked}')


class ScrapeCase(pipeline.Case):
    def setUp(self):
        super().setUp()
        self.targets = self.directory / 'targets.json'

    def write(self, *targets):
        fresh = self.directory / 'fresh'
        fresh.write_text('// ours\n' + json.dumps(list(targets)))
        fresh.rename(self.targets)

    def scrape(self, *options, **environment):
        return pipeline.Daemon(
            pipeline.WALLPROF, 'scrape',
            ['--sample-size', '4', '--frequency', '150ms', *options],
            environment={'AUTOPGO_APP': 'shop', **environment})

    def refused(self, *words):
        """What it says of wrong usage."""
        done = subprocess.run([pipeline.WALLPROF, 'pgo', 'scrape', *words],
                              capture_output=True, text=True, check=False,
                              timeout=pipeline.PATIENCE_SECONDS)
        self.assertEqual(done.stdout, '')
        return done.returncode, done.stderr.splitlines()[0]


class UsageTest(ScrapeCase):
    def test_what_must_be_there(self):
        self.write()
        file = str(self.targets)
        both = ['-a', 'shop', '-s', '3']
        for words, said in (
                (['-s', '3', file], '--app is required'),
                (['-a', 'shop', file], '--sample-size is required'),
                (['-a', 'Shop!', '-s', '3', file], 'invalid app name'),
                (['-a', 'shop', '-s', '0', file], 'not in range 1 to'),
                (both, 'there must be a file of targets'),
                ([*both, '-m', 'ec2'], '--mode'),
                ([*both, '-m', 'nomad', file], 'there is no file'),
                ([*both, '-f', '0s', file], 'duration above zero'),
                ([*both, '--api-url', 'localhost', file], 'must begin with')):
            status, line = self.refused(*words)
            self.assertEqual(status, 2, words)
            self.assertIn(said, line)

    def test_files_must_be_good_at_the_start(self):
        both = ['-a', 'shop', '-s', '3']
        status, line = self.refused(*both, '/there/is/none')
        self.assertEqual(status, 1)
        self.assertIn('/there/is/none: No such file', line)
        self.targets.write_text('[\n{"address":')
        status, line = self.refused(*both, str(self.targets))
        self.assertEqual(status, 1)
        self.assertIn(f'{self.targets}: parse error at line 2', line)
        self.write({'address': 'http://a'}, {'address': 'localhost:1'})
        self.assertIn('entry 2', self.refused(*both, str(self.targets))[1])
        status, line = self.refused(*both, '-m', 'kube')
        self.assertEqual(status, 1)
        self.assertIn('KUBERNETES_SERVICE_HOST', line)


class FileTest(ScrapeCase):
    def test_targets_of_a_file_that_changes(self):
        token = self.directory / 'token'
        token.write_text(TOKEN + '\n')
        with contextlib.ExitStack() as stack:
            one, two, server = (stack.enter_context(StandIn())
                                for _ in range(3))
            self.write({'address': one.url, 'version': '1.4'})
            scraper = stack.enter_context(self.scrape(
                '-u', server.url + '/base/', '--duration', '1500ms',
                self.targets, WALLPROF_PGO_TOKEN_FILE=str(token),
                AUTOPGO_FREQUENCY='7h'))
            server.await_more('POST', '/base/api/profile/shop?version=1.4')
            self.assertEqual(one.asked[0][:2],
                             ('GET', '/debug/pprof/profile?seconds=2'))
            _, _, headers, body = next(
                asked for asked in server.asked if asked[0] == 'POST')
            self.assertEqual(body, b'a profile')
            self.assertEqual(headers['Authorization'], f'Bearer {TOKEN}')
            self.assertLess(abs(int(headers['Idempotency-Key']) / 1e9 -
                                time.time()), 3600)
            self.assertEqual(self.health(scraper),
                             (200, [f'file://{self.targets}', 'server']))

            self.targets.write_text('[{"adress": "http://a"}]')
            scraper.process.send_signal(signal.SIGHUP)
            one.await_more('GET', '/', 3)  # is known still
            told = [line for line in scraper.log if 'targets_unknown' in line]
            self.assertEqual(len(told), 1, told)
            self.assertIn("entry 1 has \\'adress\\'", told[0])
            self.assertIn(str(self.targets), told[0])
            self.assertEqual(self.health(scraper)[0], 503)

            # Without a signal too.
            self.write({'address': two.url, 'path': 'own?x=1'})
            two.await_more('GET', '/own?x=1&seconds=2')
            self.assertEqual(self.health(scraper)[0], 200)
            self.assertGreater(scraper.count('scraper_scraped'), 3)
            self.assertGreater(scraper.count('scraper_source_failures'), 1)
            self.assertEqual(scraper.ask('GET', '/api/ready')[::2],
                             (200, b'{}\n'))
            self.assertEqual(scraper.stop(), 0)

    def health(self, scraper):
        status, _, body = scraper.ask('GET', '/api/health')
        return status, [one['name'] for one in json.loads(body)['dependencies']]

    def test_ends_though_targets_and_server_do_not_answer(self):
        with StandIn() as never, StandIn() as server:
            never.answers['/debug/pprof/profile'] = 'never'
            server.answers['/api/profile/shop'] = 'never'
            self.write({'address': never.url}, {'address': server.url})
            with self.scrape('-u', server.url, *LONG, self.targets) as scraper:
                never.await_asked('GET', '/debug')
                server.await_asked('POST', '/api')
                # Nor does who asks for its health keep it.
                server.answers['/api/ready'] = 'never'
                probe = threading.Thread(
                    target=lambda: answers.append(self.health(scraper)[0]))
                answers = []
                probe.start()
                server.await_asked('GET', '/api/ready')
                self.assertEqual(scraper.stop(), 0)
                probe.join()
                self.assertEqual(answers, [503])


class KubernetesTest(ScrapeCase):
    def certificate(self, name):
        """Files of a certificate, and of its key."""
        cert, key = self.directory / f'{name}.crt', self.directory / f'{name}.key'
        subprocess.run(
            ['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
             'ec_paramgen_curve:prime256v1', '-days', '1', '-subj',
             f'/CN={name}', '-addext', 'subjectAltName=IP:127.0.0.1', '-nodes',
             '-out', cert, '-keyout', key], check=True, capture_output=True)
        return cert, key

    def write_config(self, server, authority, client):
        """A kubeconfig of this certificate to trust, and of these to show."""
        user = {'token': TOKEN, 'client-certificate': client[0].name,
                'client-key-data':
                    base64.b64encode(client[1].read_bytes()).decode()}
        cluster = {'server': server, 'certificate-authority-data':
                   base64.b64encode(authority.read_bytes()).decode()}
        # JSON is YAML too.
        self.targets.write_text(json.dumps({
            'current-context': 'c', 'contexts': [
                {'name': 'c', 'context': {'cluster': 'k', 'user': 'u'}}],
            'clusters': [{'name': 'k', 'cluster': cluster}],
            'users': [{'name': 'u', 'user': user}]}))

    def test_over_tls_with_an_authority_of_its_own(self):
        (cert, key), client = self.certificate('api'), self.certificate('me')
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        context.load_verify_locations(client[0])
        context.verify_mode = ssl.CERT_REQUIRED
        with contextlib.ExitStack() as stack:
            api = stack.enter_context(StandIn(context))
            target, server = (stack.enter_context(StandIn()) for _ in range(2))
            pod = {'metadata': {
                'name': 'shop-1', 'namespace': 'default', 'labels': {
                    'autopgo.scrape': 'true', 'autopgo.scrape.app': 'shop'},
                'annotations': {'autopgo.scrape.port': str(target.port)}},
                'status': {'phase': 'Running', 'podIP': '127.0.0.1'}}
            api.answers['/api/v1/pods'] = json.dumps(
                {'kind': 'PodList', 'metadata': {}, 'items': [pod]})
            self.write_config(api.url, client[0], client)  # a wrong authority
            scraper = stack.enter_context(self.scrape(
                '-u', server.url, '--duration', '1s', '-m', 'kube',
                self.targets))
            pipeline.await_that(
                lambda: scraper.count('scraper_source_failures') > 1,
                'no failures')
            self.assertEqual(target.asked, [])
            told = [line for line in scraper.log if 'targets_unknown' in line]
            self.assertEqual(len(told), 1, told)
            self.assertIn('certificate', told[0])
            # It is read again for each round.
            self.write_config(api.url, cert, client)
            server.await_more('POST', '/api/profile/shop')
            self.assertEqual(api.asked[-1][2]['Authorization'],
                             f'Bearer {TOKEN}')


if __name__ == '__main__':
    pipeline.WALLPROF = os.path.abspath(sys.argv.pop(1))
    unittest.main()
