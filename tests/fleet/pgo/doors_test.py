"""Who and what comes in, and what must be there for it.

    python3 doors_test.py WALLPROF [TEST...]
"""
import json
import os
import subprocess
import sys
import time
import unittest
import urllib.request

sys.path[:0] = [os.path.dirname(__file__), os.path.dirname(
    os.path.dirname(__file__))]
import bad_profiles  # noqa: E402
import pipeline  # noqa: E402
import servers  # noqa: E402


class DoorsTest(pipeline.Case):
    """Who and what comes in."""

    def problem(self, answer, status):
        """The message of an error in the API's form."""
        got, headers, body = answer
        self.assertEqual(got, status, body)
        self.assertEqual(headers['Content-Type'], 'application/json')
        problem = json.loads(body)
        self.assertEqual(sorted(problem), ['code', 'message'])
        self.assertEqual(problem['code'], status)
        return problem['message']

    def test_bad_profiles_are_refused_and_harm_nothing(self):
        with self.serve() as serve:
            bad = bad_profiles.all_of_them()
            self.assertGreaterEqual(len(bad), 10)
            for one in bad:
                with self.subTest(one.name):
                    self.assertIn(one.reason, self.problem(
                        serve.ask('POST', '/api/profile/shop', one.body),
                        one.status))
            self.assertEqual(serve.ask('GET', '/api/profile/shop')[0], 404)
            serve.upload('shop', bad_profiles.good())
            serve.await_count('merged', 1)
            self.assertEqual(pipeline.read(serve.download('shop')),
                             pipeline.read(bad_profiles.good()))
            self.assertEqual(serve.count('quarantined'), 0)

    def test_poison_behind_the_servers_back_is_put_aside(self):
        with self.serve('--sweep-period', '200ms') as serve:
            serve.upload('shop', bad_profiles.good())
            for i, one in enumerate(bad_profiles.all_of_them()):
                staging = self.store / 'objects' / 'shop' / 'staging'
                staging.mkdir(parents=True, exist_ok=True)
                made = self.directory / 'poison'
                made.write_bytes(one.body)
                made.rename(staging / str(time.time_ns() + i))
            count = len(bad_profiles.all_of_them())
            serve.await_count('quarantined', count)
            aside = self.store / 'objects' / 'shop' / 'quarantine'
            reasons = sorted(path.read_text()
                             for path in aside.glob('*.reason'))
            self.assertEqual(len(reasons), count)
            for one in bad_profiles.all_of_them():
                self.assertTrue(any(one.reason in text for text in reasons),
                                one.name)
            self.assertEqual(
                len([line for line in serve.log
                     if 'level=warn event=pgo_profile_put_aside' in line]),
                count)
            serve.upload('shop', bad_profiles.good())
            serve.await_count('merged', 2)
            self.assertEqual(
                {stack: values[0] for stack, values in
                 pipeline.read(serve.download('shop')).items()},
                {('main.main', 'main.work'): 14, ('main.main',): 6})

    def test_tokens_and_names(self):
        tokens = self.directory / 'tokens'
        tokens.write_text('read reading-token\nwrite writing-token\n'
                          'admin admin-token\n')
        tokens.chmod(0o600)

        def bearing(token):
            return {'Authorization': f'Bearer {token}-token'}

        with self.serve('--tokens', tokens) as serve:
            path = '/api/profile/shop'
            good = bad_profiles.good()
            self.assertIn('token is needed',
                          self.problem(serve.ask('GET', path), 401))
            self.assertIn('not known', self.problem(
                serve.ask('GET', path, headers=bearing('odd')), 401))
            self.assertIn('scope must be write', self.problem(
                serve.ask('POST', path, good, bearing('reading')), 403))
            serve.upload('shop', good, headers=bearing('writing'))
            self.assertIn('scope must be read', self.problem(
                serve.ask('GET', path, headers=bearing('writing')), 403))
            self.assertIn('scope must be admin', self.problem(
                serve.ask('DELETE', path, headers=bearing('writing')), 403))
            self.assertIn('host name', self.problem(serve.ask(
                'GET', path, headers={'Host': 'evil.example'}), 403))
            for open_to_all in '/api/health', '/api/ready', '/health', '/ready':
                self.assertEqual(serve.ask('GET', open_to_all)[0], 200)
            end = time.monotonic() + pipeline.PATIENCE_SECONDS
            while serve.ask('GET', path, headers=bearing('reading'))[0] != 200:
                self.assertLess(time.monotonic(), end)
                time.sleep(0.05)
            self.pgo('delete', 'shop', '-u', serve.url,
                     environment={'AUTOPGO_TOKEN': 'admin-token'})
            self.assertEqual(
                serve.ask('GET', path, headers=bearing('admin'))[0], 404)

    def test_what_is_larger_than_may_be_is_413(self):
        with self.serve('--max-body-mib', '0.1') as serve:
            self.assertIn('too large', self.problem(
                serve.ask('POST', '/api/profile/shop', bytes(200000)), 413))

    def test_tls(self):
        key, cert = self.directory / 'key.pem', self.directory / 'cert.pem'
        subprocess.run(
            ['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
             'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj',
             '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1',
             '-keyout', key, '-out', cert], check=True, capture_output=True)
        with self.serve('--tls-cert', cert, '--tls-key', key) as serve:
            self.assertTrue(serve.url.startswith('https://'))
            self.assertEqual(
                self.pgo('list', '-u', serve.url, '--cacert', cert),
                b'NAME   SIZE   LAST MODIFIED\n')
            with self.assertRaisesRegex(AssertionError, 'certificate'):
                self.pgo('list', '-u', serve.url)

    def test_a_port_alone_is_on_all_interfaces(self):
        port = servers.free_port()
        with self.serve('-p', port, listen=None) as serve:
            with urllib.request.urlopen(
                    f'http://127.0.0.2:{port}/api/ready',
                    timeout=pipeline.PATIENCE_SECONDS) as answer:
                self.assertEqual(answer.read(), b'{}\n')
            self.assertIn('event=open', ''.join(serve.log))

    def test_its_own_profile_is_there_with_debug(self):
        with self.serve() as serve:
            self.problem(serve.ask('GET', '/debug/pprof/profile?seconds=1'), 404)
        with self.serve('--debug') as serve:
            status, _, body = serve.ask(
                'GET', '/debug/pprof/wall?seconds=0.2&format=folded')
            self.assertEqual(status, 200, body)
            self.assertIn(b'main', body)


class FilesTest(pipeline.Case):
    def fails(self, *options, status=1):
        """What a server that does not start says."""
        done = subprocess.run(
            [pipeline.WALLPROF, 'pgo', 'serve', '--dir', self.store, '--listen',
             '127.0.0.1:0', *map(str, options)], capture_output=True, text=True,
            check=False, timeout=pipeline.PATIENCE_SECONDS)
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stderr

    def test_the_directory_is_its_own(self):
        with self.serve():
            self.assertIn(f'{self.store} is used by another process',
                          self.fails())

    def test_rules_must_be_there_and_make_sense(self):
        self.assertIn('/no/such', self.fails('--prune', '/no/such'))
        rules = self.directory / 'rules.json'
        rules.write_text('[{"app": "shop", "rules": [{"keep": "x"}]}]')
        self.assertIn(str(rules), self.fails('--prune', rules))

    def test_weights_are_numbers(self):
        self.assertIn('half', self.fails('--half-life', 'inf'))
        self.assertIn('weight', self.fails('--old-version-weight', 'nan'))

    def test_targets_must_be_there_and_be_of_an_application(self):
        self.assertIn('/no/such', self.fails(
            '--targets', '/no/such', '-a', 'shop', '-s', '1'))
        self.assertIn('--targets needs --app and --sample-size',
                      self.fails('--targets', '/no/such', status=2))

    def test_options_are_in_a_file_too(self):
        config = self.directory / 'config.toml'
        config.write_text(f'dir = "{self.store}"\nlog-format = "json"\n')
        with pipeline.Daemon(pipeline.WALLPROF, 'serve', [],
                    environment={'WALLPROF_PGO_CONFIG': str(config)}) as serve:
            self.assertTrue(json.loads(serve.log[0])['url'])


if __name__ == '__main__':
    pipeline.WALLPROF = sys.argv.pop(1)
    unittest.main()
