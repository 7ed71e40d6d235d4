"""Collectors that share a store have all that they said they have, when they are
killed again and again, and PostgreSQL with them.

    python3 shared_kill_test.py STORE_SUBJECT NODE_MODULES

WALLPROF_TEST_KILLS says how often; twice if it is not set.
"""
import os
import pathlib
import sys
import threading
import unittest

HERE = pathlib.Path(__file__).parent
sys.path += [str(HERE.parents[1]), str(HERE.parent)]
os.environ.setdefault('WALLPROF_TEST_KILLS', '2')
import kill_test
import servers

COLLECTORS = 2


class SharedKillTest(kill_test.KillTest):
    def setUp(self):
        self.postgres = self.enterContext(servers.Postgres())
        s3 = self.enterContext(servers.S3Server(MODULES))
        os.environ.update(s3.environment)
        self.store = f'{self.postgres.url} {s3.url()}'

    def run_until_killed(self, first, seconds):
        """What several say that run at once."""
        said = [None] * COLLECTORS

        def run(number):
            said[number] = super(SharedKillTest, self).run_until_killed(
                first + number * kill_test.NUMBERS_A_RUN // COLLECTORS,
                1 + seconds * (1 + number))

        threads = [threading.Thread(target=run, args=[number])
                   for number in range(COLLECTORS)]
        for thread in threads:
            thread.start()
        restart = threading.Timer(0.7 + seconds / 2, self.postgres.kill)
        restart.start()
        for thread in [*threads, restart]:
            thread.join()
        self.assertNotIn(None, said)
        return {word: sum((one[word] for one in said), [])
                for word in said[0]}


del kill_test.KillTest  # it is not asked for here

if __name__ == '__main__':
    kill_test.SUBJECT, MODULES = sys.argv.pop(1), sys.argv.pop(1)
    unittest.main()
