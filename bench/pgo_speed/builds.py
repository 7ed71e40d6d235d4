"""The program's builds: as it is, and with each kind of profile."""
import hashlib
import os
import pathlib
import sys
import tempfile

import sources

# What sampled profiles need: line tables with discriminators, and names that
# tell functions of one file from those of another. DWARF 4, since Debian's
# create_llvm_prof writes an empty profile from DWARF 5.
FLAGS = ('-O2', '-gdwarf-4', '-gline-tables-only', '-fdebug-info-for-profiling',
         '-funique-internal-linkage-names', '-w')
LINK = ('-fuse-ld=lld', '-Wl,--build-id=sha1')


def build(program, root, out, version, extra=()):
    """Compiles `program` to `out` unless it was by the same command and profile."""
    command = [f'clang-{version}', *FLAGS, *program.flags, *extra,
               *sources.files_of(program, root), *LINK, '-o', str(out),
               *program.libraries]
    stamp = out.with_suffix('.command')
    said = '\n'.join(command) + '\n' + digest_of_profiles(extra)
    if out.exists() and stamp.exists() and stamp.read_text() == said:
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    sources.run(command, cwd=root)
    stamp.write_text(said)


def digest_of_profiles(flags):
    digest = hashlib.sha256()
    for flag in flags:
        path = flag.partition('=')[2]
        if os.path.isfile(path):
            with open(path, 'rb') as profile:
                digest.update(profile.read())
    return digest.hexdigest()


def code_of(path):
    """A digest of the machine code alone: build ids differ anyway."""
    with tempfile.NamedTemporaryFile() as code:
        sources.run(['objcopy', '-O', 'binary', '--only-section=.text', path,
                     code.name])
        data = pathlib.Path(code.name).read_bytes()
    if not data:
        sys.exit(f'{path}: no code')
    return hashlib.sha256(data).hexdigest()
