"""Tests of buses and versions, with servers that were written by others.

    python3 tests/fleet/pgo/engines/engines_test.py TESTS [ARGUMENT...]

TESTS is a program of GoogleTest.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.append(str(pathlib.Path(__file__).parents[2]))
import servers

SECURED = '''
authorization {{ user: me, password: "a secret" }}
tls {{ cert_file: "{0}/cert.pem", key_file: "{0}/key.pem" }}
'''


def make_secured(directory):
    """The configuration of a server that lets in by password and TLS alone."""
    subprocess.run(
        ['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
         'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj',
         '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1',
         '-keyout', f'{directory}/key.pem', '-out', f'{directory}/cert.pem'],
        check=True, capture_output=True)
    path = pathlib.Path(directory) / 'nats.conf'
    path.write_text(SECURED.format(directory))
    return str(path)


def main():
    tests, *arguments = sys.argv[1:]
    with tempfile.TemporaryDirectory() as directory, \
            servers.Nats() as nats, \
            servers.Nats('-c', make_secured(directory)) as secured:
        environment = {
            **os.environ,
            'WALLPROF_TEST_NATS': nats.host,
            'WALLPROF_TEST_NATS_PID': str(nats.pid_file),
            'WALLPROF_TEST_NATS_KILL': nats.kill_command,
            'WALLPROF_TEST_NATS_HOLD': nats.hold_command,
            'WALLPROF_TEST_NATS_RELEASE': nats.release_command,
            'WALLPROF_TEST_NATS_SECURED': secured.host,
            'WALLPROF_TEST_NATS_SECURED_CA': f'{directory}/cert.pem',
        }
        done = subprocess.run([tests, '--gtest_brief=1', *arguments],
                              env=environment, check=False)
    sys.exit(done.returncode)


if __name__ == '__main__':
    main()
