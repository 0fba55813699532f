"""
faults-transfers.py SETTINGS

Transfers that something happens to, each judged as a client would, and as one would that knows more. SETTINGS is JSON:

    host, port, user, password
    name      a part of the names of the files that are uploaded
    size      bytes of a file
    sessions  kinds, one for each session: [mode, kind], of `modes` and of download, upload, reset
    hold      whether each session has one transfer, which stops in the middle for a line on standard input
    pause     seconds between two pieces of a file; without `hold`, sessions go on until the relay is gone

The file NAME-SIZE is SHAKE128 of its name. What is downloaded is `down-SIZE`. The kind `reset` is an upload that ends
by RST in the middle.

Prints lines of JSON: {"event": "ready"} when all have logged in, {"event": "half"} when all have come to the middle,
and one for each transfer that had begun, which is that a 1yz came:

    name, kind, mode
    data    how the data connection ended: fin, reset, silent (nothing for a minute); of an upload that this end ended
            by FIN after all of it: sent
    reply   the code of the final reply, or how the control connection ended
    same    of a download: whether all came and nothing else
    moved   bytes that were read, or handed to the system
"""
import asyncio
import hashlib
import json
import random
import re
import socket
import struct
import sys

settings = json.loads(sys.argv[1])
SIZE = settings['size']
PIECE = 16_384
# Little of a file is to be on its way: what the systems hold no fault can take away.
BUFFER = 65_536
PATIENCE = 60

loop = asyncio.new_event_loop()
family = socket.AF_INET6 if ':' in settings['host'] else socket.AF_INET


def say(**what):
    print(json.dumps(what), flush=True)


def content(name):
    return hashlib.shake_128(name.encode()).digest(SIZE)


class Gone(Exception):
    """The control connection ended."""


class Barrier:
    """Tells once when all have arrived."""

    def __init__(self, event):
        self.event, self.left, self.passed = event, len(settings['sessions']), asyncio.Event()

    async def arrive(self):
        self.left -= 1
        if self.left == 0:
            say(event=self.event)
            self.passed.set()
        await self.passed.wait()


def make_socket():
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setblocking(False)
    for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        made.setsockopt(socket.SOL_SOCKET, option, BUFFER)
    return made


def within(awaitable):
    return asyncio.wait_for(awaitable, PATIENCE)


class Session:
    def __init__(self, number, mode, kind):
        self.number, self.mode, self.kind = number, mode, kind
        self.chance = random.Random('%s %d' % (settings['name'], number))
        self.count = 0

    async def reply(self):
        """The code of the next reply; several lines are one."""
        try:
            while True:
                line = await within(self.reader.readline())
                if line == b'':
                    raise Gone('fin')
                if match := re.match(rb'(\d{3}) ', line):
                    self.text = line.decode()
                    return match[1].decode()
        except asyncio.TimeoutError:
            raise Gone('silent')
        except OSError:
            raise Gone('reset')

    async def command(self, line):
        self.writer.write(line.encode() + b'\r\n')
        return await self.reply()

    async def login(self):
        self.reader, self.writer = await within(asyncio.open_connection(settings['host'], settings['port']))
        for line in (None, 'USER ' + settings['user'], 'PASS ' + settings['password'], 'TYPE I'):
            code = await (self.command(line) if line else self.reply())
            if code not in ('220', '331', '230', '200'):
                raise RuntimeError(self.text)

    async def open_data(self, command):
        """A data connection on which the transfer has begun; None where it does not."""
        if self.mode == 'active':
            local = self.writer.get_extra_info('sockname')[0]
            with make_socket() as listener:
                listener.bind((local, 0))
                listener.listen()
                port = listener.getsockname()[1]
                if await self.command('PORT %s,%d,%d' % (local.replace('.', ','), port >> 8, port & 255)) != '200':
                    return None
                if not (await self.command(command)).startswith('1'):
                    return None
                return (await within(loop.sock_accept(listener)))[0]
        if await self.command('PASV') != '227':
            return None
        high, low = map(int, re.search(r',(\d+),(\d+)\)', self.text).groups())
        data = make_socket()
        try:
            await within(loop.sock_connect(data, (settings['host'], high * 256 + low)))
            if (await self.command(command)).startswith('1'):
                return data
        except OSError:
            pass
        except BaseException:
            data.close()
            raise
        data.close()
        return None

    async def transfer(self):
        self.count += 1
        isDownload = self.kind == 'download'
        name = 'down' if isDownload else '%s-%d-%d' % (settings['name'], self.number, self.count)
        name = '%s-%d' % (name, SIZE)
        data = await self.open_data(('RETR ' if isDownload else 'STOR ') + name)
        if data is None:
            return
        data.setblocking(False)
        with data:
            self.moved = 0
            self.got = hashlib.sha256()
            try:
                ended = await (self.download(data) if isDownload else self.upload(data, content(name)))
            except asyncio.TimeoutError:
                ended = 'silent'
            except OSError:
                ended = 'reset'
        gone = None
        try:
            code = await self.reply()
        except Gone as error:
            gone, code = error, str(error)
        same = self.moved == SIZE and self.got.digest() == hashlib.sha256(content(name)).digest()
        kind, mode, moved = self.kind, self.mode, self.moved
        say(event='transfer', name=name, kind=kind, mode=mode, data=ended, reply=code, same=same, moved=moved)
        if gone:
            raise gone

    async def download(self, data):
        while True:
            await self.step()
            piece = await within(loop.sock_recv(data, PIECE))
            if piece == b'':
                return 'fin'
            self.moved += len(piece)
            self.got.update(piece)

    async def upload(self, data, file):
        while self.moved < SIZE:
            await self.step()
            if self.kind == 'reset' and self.moved >= SIZE // 2:
                data.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
                return 'reset'
            piece = file[self.moved : self.moved + PIECE]
            await within(loop.sock_sendall(data, piece))
            self.moved += len(piece)
        data.shutdown(socket.SHUT_WR)
        return 'sent'

    async def step(self):
        if settings['hold']:
            if self.moved >= SIZE // 2 and not self.held:
                self.held = True
                await half.arrive()
                await go_on.wait()
        else:
            await asyncio.sleep(self.chance.uniform(0, 2 * settings['pause']))

    async def run(self):
        self.held = False
        try:
            try:
                await within(self.login())
            except Gone as error:
                raise RuntimeError('not logged in: %s' % error)
            await ready.arrive()
            await self.transfer()
            while not settings['hold']:
                await self.transfer()
            await self.command('QUIT')
        except Gone:
            pass
        finally:
            if hasattr(self, 'writer'):
                self.writer.close()


async def main():
    global ready, half, go_on
    ready, half, go_on = Barrier('ready'), Barrier('half'), asyncio.Event()
    loop.add_reader(sys.stdin, lambda: (sys.stdin.readline(), loop.remove_reader(sys.stdin), go_on.set()))
    sessions = [Session(number, *each) for number, each in enumerate(settings['sessions'])]
    await asyncio.gather(*(session.run() for session in sessions))


loop.run_until_complete(main())
