"""Profiles on their way from running programs to a build, over one directory.

    python3 pipeline_test.py WALLPROF SUBJECT_1 SUBJECT_2 [TEST...]
"""
import concurrent.futures
import contextlib
import gzip
import http.client
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import threading
import time
import unittest
import urllib.request

sys.path[:0] = [os.path.dirname(__file__), os.path.dirname(
    os.path.dirname(__file__))]
import bad_profiles  # noqa: E402
import pipeline  # noqa: E402
import servers  # noqa: E402

STAGED = 'pgo_profile_staged'  # the event
INSTANCES = int(os.environ.get('WALLPROF_TEST_INSTANCES', '10'))
KILLS = int(os.environ.get('WALLPROF_TEST_KILLS', '3'))
HOUR = 3600 * 10**9


def at(profile, unix_nanoseconds):
    """A profile of bad_profiles, taken at this time."""
    return gzip.compress(gzip.decompress(profile) +
                         bad_profiles.number(9, unix_nanoseconds), mtime=0)


class InstancesTest(pipeline.Case):
    def test_instances_and_their_next_version(self):
        targets = self.directory / 'targets.json'
        with contextlib.ExitStack() as stack:
            pipeline.write_targets(
                targets, self.subjects(stack, SUBJECT_1, INSTANCES))
            with self.serve('--old-version-weight', '0.1') as serve:
                with pipeline.Daemon(pipeline.WALLPROF, 'scrape', [
                        targets, '--app', 'shop', '--sample-size', INSTANCES,
                        '--duration', '1s', '--frequency', '1500ms',
                        '--api-url', serve.url]):
                    serve.await_count('merged', INSTANCES)
                self.await_merged(serve)
                old = self.ways(serve)
                self.assertEqual(sum(old.values()),
                                 sum(serve.values(STAGED, 'cpu_ns')))
                self.assertGreater(old['OldWay'], 0)
                self.assertEqual(old['NewWay'], 0)
                top = pipeline.go_pprof('-top', '-cum', '-sample_index=cpu',
                                        self.directory / 'default.pgo')
                self.assertRegex(top, r'9\d\.\d+% +.*OldWay')

                for url in self.subjects(stack, SUBJECT_2, 1):
                    new = self.directory / 'new.pb.gz'
                    subprocess.run(
                        [pipeline.WALLPROF, 'fetch', '--seconds', '1', '--view', 'cpu',
                         '--format', 'pprof', '-o', new, url], check=True)
                    self.pgo('upload', '-u', serve.url, '-a', 'shop', new)
                self.await_merged(serve)
                both = self.ways(serve)
                # To one for each stack, of some ten million each.
                self.assertAlmostEqual(both['OldWay'] / old['OldWay'], 0.1,
                                       places=4)
                self.assertAlmostEqual(
                    both['NewWay'], serve.values(STAGED, 'cpu_ns')[-1],
                    delta=0.2 * both['NewWay'])

    def test_one_process_does_it_all(self):
        targets = self.directory / 'targets.json'
        with contextlib.ExitStack() as stack:
            pipeline.write_targets(targets, self.subjects(stack, SUBJECT_1, 2))
            with self.serve('--targets', targets, '-a', 'shop', '-s', '2', '-d',
                            '500ms', '-f', '1s') as serve:
                serve.await_count('merged', 2)
                self.assertGreater(self.ways(serve)['OldWay'], 0)
                self.assertIn(f'file://{targets}',
                              serve.ask('GET', '/api/health')[2].decode())

    def await_merged(self, serve):
        pipeline.await_that(
            lambda: serve.count('merged') == len(serve.values(STAGED, 'cpu_ns')),
            'what is staged is not merged')

    def ways(self, serve):
        """CPU time in the base below each version's function, and elsewhere."""
        path = self.directory / 'default.pgo'
        self.pgo('download', 'shop', '-u', serve.url, '-o', path)
        ways = {'OldWay': 0, 'NewWay': 0, 'elsewhere': 0}
        for stack, values in pipeline.read(path.read_bytes()).items():
            ways[next((way for way in ways if any(way in f for f in stack)),
                      'elsewhere')] += values[1]
        return ways


class WeightsTest(pipeline.Case):
    """Bases of profiles that are made for it."""

    def shares(self, serve, app='shop'):
        """Of each leaf, in percent."""
        return {leaf: round(100 * share, 1) for leaf, share in
                pipeline.shares(serve.download(app)).items()}

    def test_old_profiles_fade(self):
        now = time.time_ns()
        with self.serve('--half-life', '1h') as serve:
            for age, leaf in (0, 'now'), (1, 'hour'), (2, 'two'), (20, 'day'):
                serve.upload('shop', at(bad_profiles.cpu_profile(
                    {('main', leaf): 1000}), now - age * HOUR))
            serve.await_count('merged', 4)
            shares = self.shares(serve)
        # Within a stretch of time ages count the same: 9 % off at most.
        self.assertNotIn('day', shares)
        for leaf, other in ('now', 'hour'), ('hour', 'two'):
            self.assertAlmostEqual(shares[leaf] / shares[other], 2, delta=0.2)

    def test_versions_have_weights(self):
        with self.serve('--old-version-weight', '0.25', '--version-weight',
                        '1.0=0.5,1.1=0') as serve:
            for version in '1.0', '1.1', '1.2', '1.3':
                serve.upload('shop', bad_profiles.cpu_profile(
                    {('main', version): 1000}), version)
                time.sleep(0.01)  # so that it is clear which is the newest
            serve.await_count('merged', 4)
            # 1, 1/2, 1/4 and nothing.
            self.assertEqual(self.shares(serve),
                             {'1.3': 57.1, '1.0': 28.6, '1.2': 14.3})

    def test_rules_prune(self):
        rules = self.directory / 'rules.json'
        rules.write_text('// comments are fine\n'
                         '[{"app": "shop", "rules": [{"drop": "^lib"}]}]')
        profile = bad_profiles.cpu_profile({
            ('main', 'lib.a', 'lib.b'): 5, ('main', 'work'): 7})
        with self.serve('--prune', rules) as serve:
            serve.upload('shop', profile)
            serve.upload('bank', profile)
            serve.await_count('merged', 2)
            self.assertEqual(set(pipeline.read(serve.download('shop'))),
                             {('main',), ('main', 'work')})
            self.assertIn('lib.b', self.shares(serve, 'bank'))

            rules.write_text('[{"app": "shop"')
            serve.process.send_signal(signal.SIGHUP)
            pipeline.await_that(
                lambda: any('event=not_reloaded' in line and str(rules) in line
                            for line in serve.log), 'nothing is said')
            serve.upload('shop', profile)
            serve.await_count('merged', 3)
            self.assertNotIn('lib.b', self.shares(serve))

            rules.write_text('[{"app": "shop", "rules": [{"drop": "^wo"}]}]')
            serve.process.send_signal(signal.SIGHUP)
            pipeline.await_that(
                lambda: any('event=reloaded what="prune rules"' in line
                            for line in serve.log), 'nothing is said')
            serve.upload('shop', profile)
            serve.await_count('merged', 4)
            self.assertEqual(set(pipeline.read(serve.download('shop'))),
                             {('main',), ('main', 'lib.a', 'lib.b')})


class KillsTest(pipeline.Case):
    def test_killed_at_any_moment_it_loses_and_repeats_nothing(self):
        serve = self.serve()
        serve.start()
        serves = [serve]
        stopping = threading.Event()
        counts = concurrent.futures.ThreadPoolExecutor(4)
        senders = [counts.submit(self.send, serves, stopping, i)
                   for i in range(4)]
        for _ in range(KILLS):
            time.sleep(random.uniform(0.1, 0.4))
            serve.kill()
            serve = self.serve()
            serve.start()
            serves[:] = [serve]
        time.sleep(0.2)
        stopping.set()
        taken = [sender.result() for sender in senders]
        self.assertTrue(all(taken), taken)
        expected = {('main', f's{i}n{j}'): [1, 10**7]
                    for i, count in enumerate(taken) for j in range(count)}
        pipeline.await_that(
            lambda: serve.ask('GET', '/api/profile/shop')[0] == 200 and
            pipeline.read(serve.download('shop')) == expected,
            'the base is not what was sent')
        self.assertEqual(serve.stop(), 0)

    @staticmethod
    def send(serves, stopping, number):
        """Sends profiles, each until it is taken; how many were."""
        for i in range(1 << 30):
            if stopping.is_set():
                return i
            body = bad_profiles.cpu_profile({('main', f's{number}n{i}'): 1})
            headers = {'Idempotency-Key': str(time.time_ns())}
            while True:
                try:
                    serves[0].upload('shop', body, headers=headers)
                    break
                except (OSError, http.client.HTTPException):
                    time.sleep(0.02)


class DistributedTest(pipeline.Case):
    """A server, and workers that come and go, each a process."""

    def test_whoever_merges_the_base_is_the_same(self):
        with contextlib.ExitStack() as stack:
            nats = stack.enter_context(servers.Nats())
            bus = f'nats://{nats.host}/pgo?ack_wait=1s'
            options = ['--blob-store-url', f'file://{self.store}',
                       '--event-writer-url', bus]
            reading = [*options, '--event-reader-url', bus,
                       '--sweep-period', '2s']
            server = stack.enter_context(
                pipeline.Daemon(pipeline.WALLPROF, 'server', options))
            stack.enter_context(
                pipeline.Daemon(pipeline.WALLPROF, 'worker', reading))
            killed = pipeline.Daemon(pipeline.WALLPROF, 'worker', reading)
            killed.start()
            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                uploads = [pool.submit(
                    server.upload, 'shop',
                    bad_profiles.cpu_profile({('main', f'f{i}'): i + 1}))
                           for i in range(60)]
                time.sleep(0.1)
                killed.kill()
                for upload in uploads:
                    upload.result()
            expected = {('main', f'f{i}'): [i + 1, (i + 1) * 10**7]
                        for i in range(60)}
            pipeline.await_that(
                lambda: server.ask('GET', '/api/profile/shop')[0] == 200 and
                pipeline.read(server.download('shop')) == expected,
                'the base is not what was sent')
            for name in 'blob', 'versions', 'event-writer':
                self.assertIn(f'"name":"{name}","status":"healthy"',
                              server.ask('GET', '/api/health')[2].decode())
            self.pgo('delete', 'shop', '-u', server.url)
            self.assertEqual(server.ask('GET', '/api/profile/shop')[0], 404)


class GoTest(pipeline.Case):
    def test_bases_are_what_gos_tools_make_of_the_same(self):
        program = self.directory / 'subject'
        subprocess.run(
            ['go', 'build', '-o', program,
             pathlib.Path(__file__).with_name('go_subject.go')], check=True,
            env={**os.environ, 'GOCACHE': str(self.directory / 'cache'),
                 'GO111MODULE': 'off', 'GOPATH': str(self.directory / 'go')})
        with contextlib.ExitStack() as stack:
            urls = self.subjects(stack, program, 3)
            with concurrent.futures.ThreadPoolExecutor(3) as pool:
                files = list(pool.map(self.fetch, urls))
            serve = stack.enter_context(self.serve())
            for file in files:
                self.pgo('upload', '-a', 'go', '-u', serve.url, file)
            serve.await_count('merged', 3)
            merged = self.directory / 'merged'
            pipeline.go_pprof('-proto', f'-output={merged}', *files)
            base = pipeline.read(serve.download('go'))
            self.assertEqual(base, pipeline.read(merged.read_bytes()))
            self.assertTrue(any('main.spin' in stack for stack in base))
            # Go's compiler reads it.
            self.pgo('download', 'go', '-u', serve.url,
                     '-o', self.directory / 'default.pgo')
            self.assertIn('main.spin', pipeline.go_pprof(
                '-list', 'main.spin', self.directory / 'default.pgo'))

    def fetch(self, url):
        file = self.directory / re.sub(r'\W', '_', url)
        with urllib.request.urlopen(f'{url}/debug/pprof/profile?seconds=1',
                                    timeout=pipeline.PATIENCE_SECONDS) as answer:
            file.write_bytes(answer.read())
        return file


if __name__ == '__main__':
    pipeline.WALLPROF, SUBJECT_1, SUBJECT_2 = sys.argv[1:4]
    del sys.argv[1:4]
    unittest.main()
