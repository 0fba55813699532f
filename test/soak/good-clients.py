"""
good-clients.py SETTINGS

Clients that do as FTP has it, in sessions that last: downloads, uploads, listings and resumed transfers in all four
modes, each file compared. SETTINGS is JSON:

    hosts    addresses of the relay; those of IPv6 get EPSV and EPRT alone
    port, user, password
    root     the folder that the server serves, to compare with
    name     of these clients: a part of the names of their files
    threads  sessions at once
    curl     of these, how many are curl, a process for each transfer
    timeout  seconds for an answer
    seed     of the random numbers

Prints what has been done so far once a second, as JSON, and ends behind a line on standard input.
"""
import collections
import ftplib
import functools
import io
import os
import subprocess

from clients import count, counts, lock, run, settings, stop

root = settings['root']
files = {}
for name in ('file-1k', 'file-16k', 'file-300k'):
    with open(os.path.join(root, name), 'rb') as file:
        files[name] = file.read()
# Most files are small: it is their number that is to be large.
weighted = ['file-1k'] * 14 + ['file-16k'] * 5 + ['file-300k']

failures = collections.Counter()


class Wrong(Exception):
    """A file was said to be complete, and is not what it should be."""


class Client(ftplib.FTP):
    mode = 'passive'

    def makepasv(self):
        if self.mode == 'extended-passive':
            return ftplib.parse229(self.sendcmd('EPSV'), self.sock.getpeername())
        return super().makepasv()

    def sendport(self, host, port):
        return self.sendeprt(host, port) if self.mode == 'extended-active' else super().sendport(host, port)

    def choose(self, mode):
        self.mode = mode
        self.set_pasv(mode.endswith('passive'))


def modes_of(host):
    extended = ['extended-passive', 'extended-active']
    return extended if ':' in host else ['passive', 'active', *extended]


def compare(what, got, wanted):
    if got != wanted:
        raise Wrong('%s: %d of %d bytes, or others' % (what, len(got), len(wanted)))


def stored(name, content):
    with open(os.path.join(root, name), 'rb') as file:
        compare(name, file.read(), content)


def download(client, chance, _):
    name = chance.choice(weighted)
    got = bytearray()
    client.retrbinary('RETR ' + name, got.extend)
    compare(name, got, files[name])


def resume_download(client, chance, _):
    name = chance.choice(weighted)
    start = chance.randrange(len(files[name]))
    got = bytearray()
    client.retrbinary('RETR ' + name, got.extend, rest=start)
    compare(name, got, files[name][start:])


def upload(client, chance, name):
    content = chance.randbytes(len(files[chance.choice(weighted)]))
    client.storbinary('STOR ' + name, io.BytesIO(content))
    stored(name, content)


def resume_upload(client, chance, name):
    content = chance.randbytes(len(files[chance.choice(weighted)]))
    half = len(content) // 2
    client.storbinary('STOR ' + name, io.BytesIO(content[:half]))
    stored(name, content[:half])
    client.storbinary('STOR ' + name, io.BytesIO(content[half:]), rest=half)
    stored(name, content)
    count('transfers')


def listing(client, chance, _):
    lines = []
    client.retrlines(chance.choice(['LIST', 'NLST']), lines.append)
    missing = [name for name in files if not any(line.endswith(name) for line in lines)]
    if missing:
        raise Wrong('listing: without %s' % missing)


deeds = [download] * 9 + [upload] * 7 + [resume_download, resume_upload, listing, listing]


def session(host, chance, name):
    client = Client(timeout=settings['timeout'])
    what = 'login'
    try:
        client.connect(host, settings['port'])
        client.login(settings['user'], settings['password'])
        client.voidcmd('TYPE I')
        count('sessions')
        for _ in range(chance.randint(10, 200)):
            if stop.is_set():
                break
            client.choose(chance.choice(modes_of(host)))
            deed = chance.choice(deeds)
            what = '%s %s' % (client.mode, deed.__name__)
            deed(client, chance, name)
            count('transfers')
        what = 'quit'
        client.quit()
    except Wrong as error:
        fail('wrong', '%s: %s' % (what, error))
    except Exception as error:
        fail('failed', '%s: %s: %s' % (what, type(error).__name__, error))
    finally:
        client.close()


def curl(host, chance, name):
    flags = ['--ftp-method', 'nocwd', '--user', '%s:%s' % (settings['user'], settings['password'])]
    mode = chance.choice(modes_of(host))
    flags += {
        'passive': ['--disable-epsv'],
        'extended-passive': [],
        'active': ['--ftp-port', '-', '--disable-eprt'],
        'extended-active': ['--ftp-port', '-'],
    }[mode]
    remote = chance.choice(weighted)
    isUpload = chance.random() < 0.5
    content = chance.randbytes(len(files[remote])) if isUpload else None
    where = 'ftp://%s:%d/%s' % ('[%s]' % host if ':' in host else host, settings['port'], name if isUpload else remote)
    argv = ['curl', '-sS', '-g', '--max-time', str(settings['timeout']), *flags, *(['-T', '-'] if isUpload else []), where]
    done = subprocess.run(argv, input=content or b'', capture_output=True)
    count('sessions')
    if done.returncode != 0:
        fail('failed', 'curl %s: %s' % (mode, done.stderr.decode().strip()))
        return
    try:
        if isUpload:
            stored(name, content)
        else:
            compare(remote, done.stdout, files[remote])
        count('transfers')
    except Wrong as error:
        fail('wrong', 'curl %s: %s' % (mode, error))


def fail(kind, words):
    with lock:
        counts[kind] += 1
        if len(failures) < 20 or words in failures:
            failures[words] += 1
    # Who is refused does not try again at once.
    stop.wait(0.2)


def turn(number, chance):
    does = curl if number < settings['curl'] else session
    does(chance.choice(settings['hosts']), chance, 'up-%s-%d' % (settings['name'], number))


seed = '%s %s' % (settings['seed'], settings['name'])
turns = [('%s %s' % (seed, number), functools.partial(turn, number)) for number in range(settings['threads'])]
run(turns, lambda: {**counts, 'failures': failures})
