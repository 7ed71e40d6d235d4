"""Daemons of `wallprof` as processes.

    with daemons.Daemon([program, 'collect', '--listen', '127.0.0.1:0']) as d:
        status, headers, body = d.exchange('GET', '/health')
"""
import http.client
import os
import re
import signal
import subprocess
import threading
import urllib.parse

PATIENCE_SECONDS = 60  # of a machine that does much else


class Daemon:
    """Runs until the block ends. `log` has what it said, `url` where it is."""

    def __init__(self, command, environment=None):
        self.command = command
        self.environment = {**os.environ, **(environment or {})}
        self.log = []
        self.process = None
        self.reader = None
        self.url = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
            text=True, env=self.environment)
        for line in self.process.stderr:
            self.log.append(line)
            found = re.match(r'wallprof: .* at (https?://\S+/)$', line)
            if found:
                self.url = found[1]
                break
        else:
            self.process.wait()
            self.process.stderr.close()
            raise RuntimeError(''.join(self.log))
        self.reader = threading.Thread(
            target=lambda: self.log.extend(self.process.stderr))
        self.reader.start()

    def kill(self):
        self.process.kill()
        self._wait()

    def stop(self):
        """Its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self._wait()

    def _wait(self):
        status = self.process.wait(PATIENCE_SECONDS)
        self.reader.join()
        self.process.stderr.close()
        return status

    def exchange(self, method, path, body=None, headers=None):
        """Status, headers and body of the answer."""
        connection = http.client.HTTPConnection(
            urllib.parse.urlsplit(self.url).netloc, timeout=PATIENCE_SECONDS)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()
