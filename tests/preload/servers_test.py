"""Servers that fork, change user and have threads, timers and signals of their
own: they answer byte for byte what they answer bare, and end as they do."""
import glob
import hashlib
import http.client
import os
import pwd
import random
import re
import shutil
import signal
import socket
import subprocess
import threading
import unittest

import preloaded
from preloaded import (FAST_HZ, TIMEOUT_SECONDS, PreloadTest, free_port,
                       wait_until)

os.environ['PATH'] += ':/usr/sbin'


def needs(program):
    return unittest.skipUnless(shutil.which(program), f'no {program} here')


def digest(content):
    return hashlib.sha256(content).hexdigest()


class ServerTest(PreloadTest):

    def setUp(self):
        super().setUp()
        # Servers write their profiles as the users that they become.
        os.chmod(self.directory, 0o755)
        self.profiles = self.path('profiles')
        os.mkdir(self.profiles)
        os.chmod(self.profiles, 0o777)

    def variables(self, sampled):
        if not sampled:
            return preloaded.environment(preload='')
        return preloaded.environment(
            OUTPUT=os.path.join(self.profiles, '%p.folded'), CHILDREN='1',
            HZ=FAST_HZ)

    def start(self, sampled, *command, **options):
        """The server under way; what it says goes to the file `log`."""
        with open(self.path('log'), 'a', encoding='utf-8') as log:
            server = subprocess.Popen(
                command, env=self.variables(sampled), cwd=self.directory,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, **options)
        self.addCleanup(server.wait)
        self.addCleanup(self.kill_group, server)
        return server

    @staticmethod
    def kill_group(server):
        try:
            os.killpg(server.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def assert_ends(self, server, status=0):
        self.assertEqual(server.wait(timeout=TIMEOUT_SECONDS), status)
        self.assertNotIn('wallprof', self.read('log'))

    def assert_profiled(self, function, at_least):
        """So many processes have left a profile in which the function is."""
        profiles = [self.read(os.path.join('profiles', name))
                    for name in os.listdir(self.profiles)]
        having = sum(function in profile for profile in profiles)
        self.assertGreaterEqual(having, at_least,
                                f'{function} is not in:\n{profiles}')


class RedisTest(ServerTest):

    ROUNDS = 4
    STEPS = 8000  # a round; eight commands each

    @staticmethod
    def command(*words):
        """As the protocol of Redis has it."""
        encoded = [str(word).encode() for word in words]
        return b'*%d\r\n' % len(encoded) + b''.join(
            b'$%d\r\n%s\r\n' % (len(word), word) for word in encoded)

    def script(self):
        numbers = random.Random(7)
        command = self.command
        commands = [command('EVAL', 'local s = 0 for i = 1, 3000000 do '
                            's = s + i % 7 end return s', 0)]
        for step in range(self.STEPS):
            key, value = numbers.randrange(2000), numbers.getrandbits(64)
            commands += [
                command('SET', f'string:{key}', f'{value:x}' * 10),
                command('GET', f'string:{key // 2}'),
                command('INCRBY', f'number:{key}', value % 1000),
                command('LPUSH', f'list:{key % 50}', value),
                command('LRANGE', f'list:{key % 50}', 0, 3),
                command('HSET', f'hash:{key % 100}', step % 300, value),
                command('ZADD', f'sorted:{key % 20}', value % 1000, step % 500),
                command('ZRANGE', f'sorted:{key % 20}', 0, 5, 'WITHSCORES'),
            ]
        return b''.join(commands)

    def ask(self, commands):
        """All that the server sends back."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(TIMEOUT_SECONDS)
            connection.connect(self.path('socket'))
            sender = threading.Thread(
                target=connection.sendall,
                args=[commands + self.command('QUIT')])
            sender.start()
            answers = []
            while block := connection.recv(1 << 20):
                answers.append(block)
            sender.join()
        return b''.join(answers)

    def answers(self):
        def try_it():
            try:
                return self.ask(self.command('PING')) == b'+PONG\r\n+OK\r\n'
            except OSError:
                return False
        return try_it()

    def serve(self, sampled, *options):
        server = self.start(
            sampled, 'redis-server', '--port', '0', '--unixsocket',
            self.path('socket'), '--dir', self.directory, '--save', '',
            '--enable-debug-command', 'local', *options)
        wait_until(self.answers)
        return server

    def stop(self, server):
        server.terminate()
        self.assert_ends(server)

    def dataset(self):
        return self.ask(self.command('DEBUG', 'DIGEST'))

    def work(self, sampled):
        """Digests of all answers, and of the dataset before and after another
        process has saved it and a bare server has loaded it."""
        server = self.serve(sampled, '--io-threads', '2')
        script = self.script()
        answers = [digest(self.ask(script)) for _ in range(self.ROUNDS)]
        answers.append(self.dataset())
        self.ask(self.command('BGSAVE'))
        wait_until(lambda: b'rdb_bgsave_in_progress:0' in
                   self.ask(self.command('INFO', 'persistence')))
        self.stop(server)
        server = self.serve(False)
        answers.append(self.dataset())
        self.stop(server)
        os.remove(self.path('dump.rdb'))
        return answers

    @needs('redis-server')
    def test_answers_and_dataset(self):
        bare = self.work(sampled=False)
        self.assertEqual(bare[-1], bare[-2])
        self.assertEqual(self.work(sampled=True), bare)
        self.assert_profiled('processCommand', at_least=1)
        # And one of the process that saves.
        self.assertEqual(len(os.listdir(self.profiles)), 2)


class NginxTest(ServerTest):

    SIZES = (0, 1, 1000, 65536, 300000, 2000000)
    CLIENTS = 8
    FETCHES = 60  # of each client

    def setUp(self):
        super().setUp()
        numbers = random.Random(7)
        for size in self.SIZES:
            with open(self.path(str(size)), 'wb') as file:
                file.write(numbers.randbytes(size))
        self.port = free_port()

    def settings(self):
        temporary = ''.join(f'{use}_temp_path {self.directory}/{use};'
                            for use in ('client_body', 'proxy', 'fastcgi',
                                        'uwsgi', 'scgi'))
        with open(self.path('nginx.conf'), 'w', encoding='utf-8') as file:
            file.write(f'''
                daemon off; worker_processes 2; pid {self.directory}/pid;
                error_log {self.directory}/log crit;
                thread_pool default threads=2;
                events {{}}
                http {{
                  {temporary}
                  log_format answers '$request $status';
                  access_log {self.directory}/access answers;
                  sendfile on; aio threads; keepalive_requests 20;
                  server {{ listen 127.0.0.1:{self.port};
                            root {self.directory}; }}
                }}''')
        return self.path('nginx.conf')

    def fetch(self, first, answers):
        """Appends path, status and digest of each."""
        connection = http.client.HTTPConnection('127.0.0.1', self.port,
                                                timeout=TIMEOUT_SECONDS)
        paths = [str(size) for size in self.SIZES] + ['nowhere']
        for i in range(self.FETCHES):
            path = paths[(first + i) % len(paths)]
            connection.request('HEAD' if i % 9 == 0 else 'GET', '/' + path)
            answer = connection.getresponse()
            answers.append((path, answer.status, digest(answer.read())))
        connection.close()

    def listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(('127.0.0.1', self.port)) == 0

    def work(self, sampled):
        """All answers, and what the server says of them."""
        server = self.start(sampled, 'nginx', '-e', self.path('log'), '-c',
                            self.settings())
        wait_until(self.listens)
        answers = []
        clients = [threading.Thread(target=self.fetch, args=[i, answers])
                   for i in range(self.CLIENTS)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        server.send_signal(signal.SIGQUIT)
        self.assert_ends(server)
        self.assertEqual(self.read('log'), '')
        access = sorted(self.read('access').splitlines())
        os.remove(self.path('access'))
        return sorted(answers), access

    @needs('nginx')
    def test_answers(self):
        bare = self.work(sampled=False)
        self.assertEqual(len(bare[0]), self.CLIENTS * self.FETCHES)
        self.assertEqual(self.work(sampled=True), bare)
        self.assert_profiled('ngx_process_events_and_timers', at_least=2)
        # And the master's.
        self.assertEqual(len(os.listdir(self.profiles)), 3)


class PostgreSqlTest(ServerTest):

    SCRIPT = '''
        SET max_parallel_workers_per_gather = 2;
        SET parallel_setup_cost = 0;
        SET parallel_tuple_cost = 0;
        SET min_parallel_table_scan_size = 0;
        CREATE TABLE t(a int PRIMARY KEY, b text, c numeric);
        INSERT INTO t SELECT i, md5(i::text), i / 7.0
          FROM generate_series(1, 60000) i;
        CREATE INDEX by_text ON t(b);
        CREATE TABLE u AS SELECT a % 1000 AS g, count(*) AS n, sum(c) AS s
          FROM t GROUP BY 1 ORDER BY 1;
        ANALYZE;
        EXPLAIN (COSTS OFF) SELECT count(*), sum(c) FROM t WHERE b LIKE '%a%';
        SELECT count(*), sum(c), md5(min(b) || max(b)) FROM t
          WHERE b LIKE '%a%';
        SELECT md5(string_agg(b, ',' ORDER BY b)) FROM t;
        SELECT md5(string_agg(x.b, ',' ORDER BY x.a)) FROM t x JOIN u
          ON x.a = u.g JOIN t y ON y.a = u.n * 100 + u.g;
        UPDATE t SET b = upper(b) WHERE a % 3 = 0;
        DELETE FROM t WHERE a % 11 = 0;
        DO $$ DECLARE s bigint := 0; BEGIN FOR i IN 1..300000 LOOP
          s := s + i % 7; END LOOP; RAISE NOTICE '%', s; END $$;
        SET statement_timeout = 100;
        SELECT pg_sleep(60);
        RESET statement_timeout;
        BEGIN; INSERT INTO u VALUES (-1, 0, 0); ROLLBACK;
        SELECT 1 / 0;
        VACUUM t;
        SELECT count(*), md5(string_agg(b, ',' ORDER BY a)) FROM t;
        '''

    def setUp(self):
        super().setUp()
        installed = sorted(glob.glob('/usr/lib/postgresql/*/bin'))
        if not installed:
            self.skipTest('no PostgreSQL here')
        self.programs = installed[-1]
        self.user = {}
        if os.geteuid() == 0:
            # It does not run as root.
            user = pwd.getpwnam('postgres')
            self.user = {'user': user.pw_uid, 'group': user.pw_gid,
                         'extra_groups': []}
            os.chown(self.directory, user.pw_uid, user.pw_gid)

    def program(self, name):
        return os.path.join(self.programs, name)

    def client(self, name, *arguments, sampled=False, **options):
        return subprocess.run(
            [self.program(name), *arguments], env=self.variables(sampled),
            cwd=self.directory, capture_output=True, text=True, check=False,
            timeout=TIMEOUT_SECONDS, **self.user, **options)

    def succeed(self, *command, **options):
        done = self.client(*command, **options)
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        return done.stdout

    def work(self, sampled):
        """What the script says, and the database after it."""
        data = self.path('sampled' if sampled else 'bare')
        self.succeed('initdb', '-D', data, '-A', 'trust', '-U', 'tester',
                     '--no-sync', '--locale=C.UTF-8', sampled=sampled)
        server = self.start(
            sampled, self.program('postgres'), '-D', data, '-k',
            self.directory, '-c', 'listen_addresses=', '-c', 'fsync=off',
            **self.user)
        at = ('-h', self.directory, '-U', 'tester')
        wait_until(lambda: self.client('pg_isready', *at).returncode == 0)
        script = self.client('psql', *at, '-X', '-f', '-', 'postgres',
                             input=self.SCRIPT)
        dump = self.succeed('pg_dump', *at, 'postgres')
        self.succeed('pg_ctl', 'stop', '-D', data, '-m', 'fast')
        self.assert_ends(server)
        self.assertNotIn('terminated by signal', self.read('log'))
        # A dump begins and ends with a key that is another each time.
        dump = re.sub(r'(?m)^\\(un)?restrict .*$', '', dump)
        return script.stdout, script.stderr, digest(dump.encode())

    def test_answers_and_dump(self):
        bare = self.work(sampled=False)
        self.assertIn('Gather', bare[0])
        self.assertIn('statement timeout', bare[1])
        self.assertEqual(self.work(sampled=True), bare)
        # The first process, those that it always starts, and one that answers.
        self.assert_profiled('PostmasterMain', at_least=5)


if __name__ == '__main__':
    preloaded.main()
