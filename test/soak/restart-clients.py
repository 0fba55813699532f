"""
restart-clients.py SETTINGS

Clients that log in anew for each few transfers, while the relay is restarted. SETTINGS is JSON:

    host, port, user, password
    root     the folder that the server serves, to compare with
    threads  sessions at once
    tls      whether the control and the data connections are protected
    pace     seconds that a slow transfer takes at least: a quarter of all
    seed     of the random numbers

Prints once a second, as JSON, and ends behind a line on standard input: `sessions`, `transfers`, those of them that were
`slow`, and what went wrong: `refused` sessions, `cut` transfers, `wrong` files, with the words of each in `failures`.
"""
import collections
import functools
import ftplib
import io
import os
import ssl
import time

from clients import count, counts, lock, run, settings, stop

root = settings['root']
files = {}
for name in ('file-1k', 'file-16k', 'file-300k', 'file-big'):
    with open(os.path.join(root, name), 'rb') as file:
        files[name] = file.read()
failures = collections.Counter()
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
block = 8192


def client():
    return ftplib.FTP_TLS(timeout=60, context=context) if settings['tls'] else ftplib.FTP(timeout=60)


class Paced(io.BytesIO):
    """Is read, or written to, no faster than its pace."""

    def __init__(self, content, size, seconds):
        super().__init__(content)
        self.pause = seconds * block / max(size, block)

    def read(self, *size):
        time.sleep(self.pause)
        return super().read(*size)

    def write(self, content):
        time.sleep(self.pause * len(content) / block)
        return super().write(content)


def download(ftp, chance, _):
    name = chance.choice(list(files))
    wanted = files[name]
    slow = chance.random() < 0.25
    got = Paced(b'', len(wanted), settings['pace'] if slow else 0)
    ftp.retrbinary('RETR ' + name, got.write, block)
    return got.getvalue() == wanted, slow


def upload(ftp, chance, name):
    content = chance.randbytes(len(files[chance.choice(list(files))]))
    slow = chance.random() < 0.25
    ftp.storbinary('STOR ' + name, Paced(content, len(content), settings['pace'] if slow else 0), block)
    with open(os.path.join(root, name), 'rb') as file:
        return file.read() == content, slow


def fail(kind, words):
    with lock:
        counts[kind] += 1
        failures['%s: %s' % (kind, words)] += 1


def turn(number, chance):
    ftp = client()
    kind = 'refused'
    try:
        ftp.connect(settings['host'], settings['port'])
        kind = 'cut'
        ftp.login(settings['user'], settings['password'])
        if settings['tls']:
            ftp.prot_p()
        count('sessions')
        for _ in range(chance.randint(1, 4)):
            ftp.set_pasv(chance.random() < 0.7)
            deed = chance.choice([download, download, upload])
            whole, slow = deed(ftp, chance, 'up-%d' % number)
            if not whole:
                fail('wrong', deed.__name__)
            count('transfers')
            if slow:
                count('slow')
        ftp.quit()
    except Exception as error:
        fail(kind, '%s: %s' % (type(error).__name__, error))
    finally:
        ftp.close()
    stop.wait(chance.random() * 0.3)


turns = [('%s %d' % (settings['seed'], n), functools.partial(turn, n)) for n in range(settings['threads'])]
run(turns, lambda: {**counts, 'failures': failures})
