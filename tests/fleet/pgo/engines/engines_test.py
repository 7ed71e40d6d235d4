"""Tests of buses and versions, with servers that were written by others.

    python3 engines_test.py TESTS VERSIONS_SUBJECT [ARGUMENT...]

TESTS is a program of GoogleTest. It mostly waits: its tests run in groups, side
by side, each with servers of its own, which it may kill.
"""
import contextlib
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


def nats(stack):
    server = stack.enter_context(servers.Nats())
    return {'WALLPROF_TEST_NATS': server.host,
            'WALLPROF_TEST_NATS_PID': str(server.pid_file),
            'WALLPROF_TEST_NATS_KILL': server.kill_command,
            'WALLPROF_TEST_NATS_HOLD': server.hold_command,
            'WALLPROF_TEST_NATS_RELEASE': server.release_command}


def secured_nats(stack):
    directory = stack.enter_context(tempfile.TemporaryDirectory())
    server = stack.enter_context(servers.Nats('-c', make_secured(directory)))
    return {'WALLPROF_TEST_NATS_SECURED': server.host,
            'WALLPROF_TEST_NATS_SECURED_CA': f'{directory}/cert.pem'}


def postgres(stack):
    server = stack.enter_context(servers.Postgres())
    return {'WALLPROF_TEST_POSTGRES': server.url,
            'WALLPROF_TEST_POSTGRES_KILL': server.kill_command}


VERSIONS = '*Versions*:Bucket*'
CONFORMANCE = 'Nats/BusConformance*'

KAFKA = '*Kafka*'  # these bring their brokers with them

# What a group's tests are called, what they need, and in how many parts they
# run. Kafka's readers wait three seconds for each other.
GROUPS = [(VERSIONS, [nats, postgres], 1),
          (CONFORMANCE, [nats], 1),
          (f'-{VERSIONS}:{CONFORMANCE}:{KAFKA}', [nats, secured_nats], 1),
          (KAFKA, [], 14)]


def main():
    tests, subject, *arguments = sys.argv[1:]
    with contextlib.ExitStack() as stack:
        running = []
        for group, needs, parts in reversed(GROUPS):
            environment = {**os.environ,
                           'WALLPROF_TEST_VERSIONS_SUBJECT': subject,
                           'GTEST_TOTAL_SHARDS': str(parts)}
            for need in needs:
                environment.update(need(stack))
            running += [stack.enter_context(subprocess.Popen(
                [tests, '--gtest_brief=1', f'--gtest_filter={group}',
                 *arguments],
                env={**environment, 'GTEST_SHARD_INDEX': str(part)}))
                        for part in range(parts)]
        sys.exit(max(one.wait() != 0 for one in running))


if __name__ == '__main__':
    main()
