"""WALLPROF_LISTEN: a server inside the program."""
import http.client
import json
import os
import socket
import urllib.error

import preloaded
from preloaded import (PreloadTest, Running, free_port, open_url, run, stacks,
                       subject, wait_until)

# Lives until its standard input ends.
SERVICE = 'early_close'


def serving(**variables):
    return Running(subject(SERVICE), **variables)


def answer(address, path='stats'):
    """What a server at 127.0.0.1:PORT says, once there is one."""
    def try_it():
        try:
            return open_url(f'http://{address}/{path}')
        except OSError:
            return None
    return wait_until(try_it)


class UnixConnection(http.client.HTTPConnection):

    def __init__(self, path):
        super().__init__('localhost')
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


def in_order(wanted, frames):
    """Whether `frames` has those, one after the other, others between."""
    rest = iter(frames)
    return all(frame in rest for frame in wanted)


class PagesTest(PreloadTest):

    def test_profile_threads_and_statistics(self):
        with serving(LISTEN='0') as service:
            url = service.url()
            folded = stacks(open_url(url + '?seconds=0.3'))
            self.assertTrue(any('main' in frames and weight > 0
                                for frames, weight in folded), folded)
            threads = json.loads(open_url(url + 'threads?format=json'))
            # The profiler's own threads are not among them.
            self.assertEqual([thread['tid'] for thread in threads['threads']],
                             [service.process.pid])
            self.assertEqual(threads['pid'], service.process.pid)
            stats = json.loads(open_url(url + 'stats?format=json'))
            self.assertEqual(stats['hz'], 99)
            self.assertIn('early_close',
                          open_url(url + 'debug/pprof/cmdline'))

    def test_who_holds_the_locks(self):
        with Running(subject('locks'), LISTEN='0') as command:
            url = command.url()
            text = open_url(url + '?seconds=1&view=blockedby')
            total = sum(weight for _, weight in stacks(text))
            held = sum(weight for frames, weight in stacks(text)
                       if in_order(['Wait', 'pthread_mutex_lock', '[held by]',
                                    'Hold'], frames))
            self.assertGreater(held, 500000)
            self.assertGreater(held, 0.9 * total)
            threads = json.loads(open_url(url + 'threads?format=json'))
            waiter = [thread for thread in threads['threads']
                      if thread.get('wait_kind') == 'lock']
            self.assertEqual(len(waiter), 1)
            self.assertNotIn(waiter[0]['held_by'], (0, waiter[0]['tid']))

    def test_rate(self):
        with serving(LISTEN='0', HZ='250') as service:
            stats = json.loads(open_url(service.url() + 'stats?format=json'))
            self.assertEqual(stats['hz'], 250)

    def test_cpu_time_alone(self):
        with serving(LISTEN='0', CPU_ONLY='1', HZ='500') as service:
            url = service.url()
            stats = json.loads(open_url(url + 'stats?format=json'))
            self.assertEqual((stats['measures'], stats['hz']), ('cpu', 500))
            for frames, _ in stacks(open_url(url + '?seconds=0.2')):
                self.assertNotIn('poll', frames)
            with self.assertRaises(urllib.error.HTTPError) as refused:
                open_url(url + '?seconds=0.2&view=wall')
            self.assertEqual(refused.exception.code, 400)
            threads = json.loads(open_url(url + 'threads?format=json'))
            self.assertEqual([(thread['tid'], thread['stack'])
                              for thread in threads['threads']],
                             [(service.process.pid, [])])

    def test_cpu_time_alone_has_one_view(self):
        done = run(subject('sleeps'), OUTPUT=self.path(), CPU_ONLY='1',
                   VIEW='wall')
        self.assertEqual(done.returncode, 0)
        self.assertIn('WALLPROF_VIEW must be cpu with WALLPROF_CPU_ONLY=1',
                      done.stderr)

    def test_serves_and_writes(self):
        with serving(LISTEN='0', OUTPUT=self.path()) as service:
            open_url(service.url() + '?seconds=0.2')
            service.process.stdin.close()
            self.assertEqual(service.process.wait(), 0)
            self.assertEqual(service.process.stderr.read(), '')
        self.assert_seen('main', self.read())

    def test_program_ends_while_a_profile_is_fetched(self):
        with serving(LISTEN='0') as service:
            url = service.url()
            with socket.create_connection(
                    ('127.0.0.1', int(url.rstrip('/').rsplit(':', 1)[1]))) as c:
                c.sendall(b'GET /?seconds=3600 HTTP/1.1\r\nHost: x\r\n\r\n')
                service.process.stdin.close()
                self.assertEqual(service.process.wait(), 0)


class AddressTest(PreloadTest):

    def check(self, listen, port):
        with serving(LISTEN=listen) as service:
            self.assertIn('threads', answer(f'127.0.0.1:{port}'))
            service.process.stdin.close()
            self.assertEqual(service.process.wait(), 0)
            # Only a port that was picked is told.
            self.assertEqual(service.process.stderr.read(), '')

    def test_port(self):
        port = free_port()
        self.check(f'{port}', port)

    def test_colon_and_port(self):
        port = free_port()
        self.check(f':{port}', port)

    def test_host_and_port(self):
        port = free_port()
        self.check(f'127.0.0.1:{port}', port)

    def test_localhost(self):
        port = free_port()
        self.check(f'localhost:{port}', port)

    def test_picked_port_is_told_however_it_is_asked_for(self):
        for listen in ('0', ':0', '127.0.0.1:0'):
            with serving(LISTEN=listen) as service:
                self.assertIn('threads', open_url(service.url() + 'stats'))

    def test_unix_socket(self):
        path = self.path('socket')
        with serving(LISTEN='unix:' + path) as service:
            wait_until(lambda: os.path.exists(path))
            connection = UnixConnection(path)
            self.addCleanup(connection.close)
            connection.request('GET', '/stats')
            self.assertEqual(connection.getresponse().status, 200)
            service.process.stdin.close()
            self.assertEqual(service.process.wait(), 0)
        self.assertEqual(self.files(), [])

    def test_pid_in_the_path(self):
        with serving(LISTEN='unix:' + self.path('%p.socket')) as service:
            wait_until(self.files)
            self.assertEqual(self.files(), [f'{service.process.pid}.socket'])

    def test_port_in_use_is_said_and_the_program_runs_on(self):
        with socket.create_server(('127.0.0.1', 0)) as taken:
            port = taken.getsockname()[1]
            with serving(LISTEN=f'{port}', OUTPUT=self.path()) as service:
                self.assert_one_line(service.process.stderr.readline(),
                                     f'cannot listen on {port}')
                service.process.stdin.close()
                self.assertEqual(service.process.wait(), 0)
        self.assertEqual(self.files(), ['out.folded'])

    def test_address_that_is_none_is_said_and_the_program_runs_on(self):
        for listen in ('nowhere', 'host.example:1', '127.0.0.1:65536', '-1'):
            with serving(LISTEN=listen) as service:
                self.assert_one_line(service.process.stderr.readline(), listen)
                service.process.stdin.close()
                self.assertEqual(service.process.wait(), 0)

    def test_socket_is_gone_with_the_image_that_execs(self):
        # The next image listens at the same port.
        port = free_port()
        with Running('sh', '-c', 'read line; exec "$0"', subject(SERVICE),
                     LISTEN=f'{port}') as service:
            cmdline = answer(f'127.0.0.1:{port}', 'debug/pprof/cmdline')
            self.assertIn('read line', cmdline)
            service.process.stdin.write('\n')
            service.process.stdin.flush()
            wait_until(lambda: 'read line' not in answer(
                f'127.0.0.1:{port}', 'debug/pprof/cmdline'))
            service.process.stdin.close()
            self.assertEqual(service.process.wait(), 0)


class ShortLifeTest(PreloadTest):

    def test_program_that_ends_while_the_server_starts(self):
        for _ in range(50):
            done = run('true', LISTEN='unix:' + self.path('socket'))
            self.assert_ran(done)
            self.assertEqual(self.files(), [])

    def test_program_that_execs_while_the_server_starts(self):
        port = free_port()
        done = run(subject('children'), 'again', '20', LISTEN=f'{port}')
        self.assert_ran(done)

    def test_program_that_forks_while_the_server_starts(self):
        for _ in range(10):
            done = run(subject('children'), 'fork', LISTEN='unix:' +
                       self.path('socket'))
            self.assert_ran(done)


if __name__ == '__main__':
    preloaded.main()
