"""
Plays scripted FTP dialogues through a gateway, both ends of each in one process, and says what came of them. A case
a line on standard input, a result a line on standard output, JSON; see replay.ts for their shapes.

    replay.py SETTING < CASES > RESULTS

One process can stand on both sides because a socket belongs to the network namespace that it was made in. So each
step is followed by what it brought about, and nothing has to be guessed from the time that has passed: bytes have
arrived when TCP has them acknowledged, and are held up when TCP has sent them again and again.
"""
import fcntl
import json
import os
import re
import socket
import struct
import sys
import termios

import expected
from dial import Catcher, Dial, abort, endpoint
from namespaces import listener_in, socket_in, until

SETTING = json.loads(sys.argv[1])
FAMILY = socket.AF_INET6 if SETTING['family'] == 6 else socket.AF_INET
LAST = b'NOOP last\r\n'
LAST_ANSWER = b'200 last\r\n'


class End:
    """One end of a control connection."""

    def __init__(self, connection):
        connection.setblocking(False)
        # Each piece is a segment of its own.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connection = connection
        self.received = b''
        self.closed = None
        self.outbox = []

    def unacknowledged(self):
        return struct.unpack('i', fcntl.ioctl(self.connection, termios.TIOCOUTQ, b'\0' * 4))[0]

    def retransmits(self):
        return self.connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 3)[2]

    def is_idle(self):
        return self.closed is not None or (not self.outbox and self.unacknowledged() == 0)

    def is_stuck(self):
        """Somebody on the way drops what was sent, and what TCP sends again."""
        return self.closed is None and not self.outbox and self.unacknowledged() > 0 and self.retransmits() >= 3

    def write(self):
        # One after the other, or what waits would leave in one segment; but a piece that is lost holds up no other.
        if self.closed is None and self.outbox and (self.unacknowledged() == 0 or self.retransmits() >= 1):
            try:
                self.connection.send(self.outbox.pop(0))
            except OSError:
                self.closed = 'RST'

    def read(self):
        while self.closed is None:
            try:
                data = self.connection.recv(65536)
            except BlockingIOError:
                return
            except OSError:
                self.closed = 'RST'
                return
            if data == b'':
                self.closed = 'FIN'
            self.received += data


class Server(End):
    """Answers each line that has come, as the case has it."""

    def __init__(self, connection, case):
        super().__init__(connection)
        self.replies = case.get('replies', {})
        self.joined = 0
        self.held = []
        self.answered = 0
        self.outbox.append(b'220 Ready\r\n')

    def answer(self):
        while (end := self.received.find(b'\n', self.answered)) != -1:
            line = self.received[self.answered:end + 1]
            self.answered = end + 1
            if line == LAST:
                self.outbox.append(LAST_ANSWER)
                continue
            verb = re.search(rb'[A-Za-z@]+|$', line).group().upper().decode()
            usual = {'USER': ['331 Password\r\n'], 'PASS': ['230 Logged in\r\n']}.get(verb, ['200 Done\r\n'])
            answer = [piece.encode('latin-1') for piece in self.replies.get(verb, usual)]
            if self.joined == 0:
                self.outbox.extend(answer)
                continue
            self.held.extend(answer)
            self.joined -= 1
            if self.joined == 0:
                self.outbox.append(b''.join(self.held))

    def begin(self, case):
        """The log in is over."""
        self.received = b''
        self.answered = 0
        self.joined = case.get('joined', 0)


class Dialogue:
    def __init__(self, case):
        self.case = case
        connection = socket_in(namespaces['client'], FAMILY)
        connection.connect_ex((SETTING['public'], 21))
        accepted = []

        def came():
            try:
                accepted.append(control.accept()[0])
            except BlockingIOError:
                return False
            return True

        if not until(came, control):
            raise RuntimeError(f"{case['name']}: the server was not reached")
        self.client = End(connection)
        self.server = Server(accepted[0], case)

    def step(self):
        for end in (self.client, self.server):
            end.write()
            end.read()
        self.server.answer()

    def is_over(self):
        return self.client.closed or self.server.closed or self.client.is_stuck() or self.server.is_stuck()

    def goes_on_until(self, done):
        def look():
            self.step()
            return done() or self.is_over()

        return until(look, self.client.connection, self.server.connection)

    def replies(self):
        return len(re.findall(rb'^[2-5]\d\d(?!-)', self.client.received, re.MULTILINE))

    def say(self, turn):
        """Sends the pieces of a turn, and waits until each line of it has its reply."""
        wanted = self.replies() + sum(piece.count(b'\n') for piece in turn)
        self.client.outbox.extend(turn)
        return self.goes_on_until(lambda: self.replies() >= wanted)

    def log_in(self):
        if not self.goes_on_until(lambda: self.client.received.endswith(b'220 Ready\r\n')):
            raise RuntimeError(f"{self.case['name']}: no greeting")
        if self.case.get('login', True):
            self.say([b'USER tester\r\n'])
            self.say([b'PASS secret\r\n'])
            if not self.client.received.endswith(b'230 Logged in\r\n'):
                raise RuntimeError(f"{self.case['name']}: no log in")
        if not self.goes_on_until(lambda: self.client.is_idle() and self.server.is_idle()):
            raise RuntimeError(f"{self.case['name']}: no rest after the log in")
        self.client.received = b''
        self.server.begin(self.case)

    def play(self):
        """Returns whether it came to an end: each line had its reply, or nothing can pass any more."""
        for turn in self.case['client']:
            if self.is_over():
                return True
            if not self.say([piece.encode('latin-1') for piece in turn]):
                return False
        self.client.outbox.append(LAST)
        came = self.goes_on_until(lambda: self.client.received.endswith(LAST_ANSWER))
        # What is on its way when one end has been closed belongs to it.
        if self.client.closed or self.server.closed:
            self.ends()
        return came

    def ends(self):
        def look():
            self.step()
            return self.client.closed and (self.server.closed or self.server.is_stuck())

        until(look, self.client.connection, self.server.connection)

    def close(self):
        """Ends it from the client's side, in order where it still can be; the gateway has heard so when the server has."""
        if self.is_over():
            abort(self.client.connection)
            abort(self.server.connection)
            return
        self.client.connection.close()
        self.client.closed = 'self'

        def look():
            self.server.read()
            return self.server.closed

        until(look, self.server.connection)
        self.server.connection.close()


def try_out(peer, address, port):
    """What an expectation is worth: for a stranger, for whom it is meant, and for the same once more."""
    found = {'peer': peer, 'at': endpoint(address, int(port))}
    host = {SETTING['client']: 'client', SETTING['server']: 'server'}.get(peer)
    if host is None or address not in SETTING['reachable']:
        return found

    def dial(from_host, source_port=0):
        return Dial(catcher, namespaces[from_host], address, int(port), source_port)

    if host == 'client':
        stranger = dial('stranger')
        stranger.close()
        found['stranger'] = stranger.leads
    # RFC 959, section 5.2: the server's own data port.
    first = dial(host, 20 if host == 'server' else 0)
    again = dial(host)
    found.update(leads=first.leads, source=first.source, again=again.leads)
    again.close()
    first.close()
    return found


def look_at_gateway():
    match SETTING['way']:
        case 'helper':
            return expected.of_helper(SETTING['family'])
        case 'kernel':
            return kernel_plane.expected()
        case 'relay':
            peers = {SETTING['public']: SETTING['client'], SETTING['inside']: SETTING['server']}
            return expected.of_relay_plane(SETTING['family'], peers)


def end_result(end):
    return {'received': end.received.decode('latin-1'), 'closed': end.closed}


def run(case):
    dialogue = Dialogue(case)
    dialogue.log_in()
    ended = dialogue.play()
    stuck = [name for name in ('client', 'server') if getattr(dialogue, name).is_stuck()]
    tuples = look_at_gateway()
    if case.get('late', False):
        dialogue.close()
        # The kernel's helper keeps its own as long as the connection is remembered, which is minutes.
        if SETTING['way'] != 'helper':
            until(lambda: look_at_gateway() == [])
    tried = [try_out(*each) for each in tuples]
    result = {
        'name': case['name'],
        'ended': ended,
        'stuck': stuck,
        'client': end_result(dialogue.client),
        'server': end_result(dialogue.server),
        'expected': tried,
    }
    if not case.get('late', False):
        dialogue.close()
    if SETTING['way'] == 'helper' and any(each.get('leads') in (None, 'refused') for each in tried):
        expected.forget_of_helper()
    return result


namespaces = {host: os.open(f'/run/netns/{name}', os.O_RDONLY) for host, name in SETTING['namespaces'].items()}
catcher = Catcher(namespaces, FAMILY, SETTING['catchAll'])
control = listener_in(namespaces['server'], FAMILY, 21)
kernel_plane = expected.KernelPlane(SETTING['family']) if SETTING['way'] == 'kernel' else None
for line in sys.stdin:
    print(json.dumps(run(json.loads(line))), flush=True)
