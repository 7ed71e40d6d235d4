"""Fetches Debian source packages, which need no line in the machine's own list."""
import pathlib
import shutil
import subprocess
import sys

LIST = 'deb-src http://deb.debian.org/debian bookworm main\n'


def run(command, **options):
    """Runs a command that must succeed."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, **options)
    if done.returncode != 0:
        sys.exit(f'{" ".join(map(str, command))}: status {done.returncode}\n'
                 f'{done.stdout[-4000:]}')
    return done.stdout


def apt(directory, archives, *arguments):
    lists = directory / 'apt'
    (lists / 'partial').mkdir(parents=True, exist_ok=True)
    source_list = lists / 'sources.list'
    source_list.write_text(LIST)
    return run(['apt-get', '-qq', '-o', f'Dir::Etc::sourcelist={source_list}',
                '-o', 'Dir::Etc::sourceparts=-', '-o', f'Dir::State::lists={lists}',
                '-o', 'APT::Sandbox::User=root', *arguments], cwd=archives)


def fetch(program, directory):
    """The folder of the program's sources below `directory`, ready to compile."""
    folder = directory / 'sources' / program.package
    ready = folder.with_suffix('.ready')
    root = folder / program.folder
    if ready.exists():
        return root
    archives = directory / 'archives'
    archives.mkdir(parents=True, exist_ok=True)
    archive = find_archive(program, archives)
    if archive is None:
        if not list((directory / 'apt').glob('*Sources*')):
            apt(directory, archives, 'update')
        apt(directory, archives, 'source', '--download-only', program.package)
        archive = find_archive(program, archives)
    if archive is None:
        sys.exit(f'{program.package}: no archive of its sources came')
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    run(['tar', 'xf', archive, '-C', folder, '--strip-components=1'])
    for name, text in program.files:
        (root / name).write_text(text)
    for command in program.prepare:
        run(command.split(), cwd=root)
    ready.touch()
    return root


def find_archive(program, archives):
    """The authors' archive; Debian's packaging and patches are left out."""
    found = [path for path in archives.glob(f'{program.package}_*.orig.tar.*')
             if path.suffix != '.asc']
    return found[0] if found else None


def files_of(program, root):
    """What is compiled, sorted, below `root`."""
    without = {root / name for name in program.without}
    found = [path for pattern in program.sources
             for path in sorted(root.glob(pattern)) if path not in without]
    if not found:
        sys.exit(f'{program.name}: no file fits {program.sources}')
    return [str(pathlib.Path(path).relative_to(root)) for path in found]
