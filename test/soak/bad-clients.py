"""
bad-clients.py SETTINGS

Clients that no server wishes for: silent ones, garbage, ends in the middle of everything, floods, strangers at the
ports of others. SETTINGS is JSON:

    host, port, user, password, seed
    address   where all but the strangers connect from
    stranger  where those connect from
    ports     the first and the last port for passive transfers

Prints how often each was there once a second, as JSON, and ends behind a line on standard input. `served` counts
strangers that got a byte of somebody's file.
"""
import ftplib
import functools
import socket
import struct
import subprocess

from clients import count, run, settings, stop

where = (settings['host'], settings['port'])
content = bytes(range(256)) * 4096


def connect(address=settings['address'], to=where):
    return socket.create_connection(to, 10, source_address=(address, 0))


def reset(connection):
    """RST, and nothing of what waits is sent."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    connection.close()


def login():
    client = ftplib.FTP(timeout=10, source_address=(settings['address'], 0))
    client.connect(*where)
    client.login(settings['user'], settings['password'])
    client.voidcmd('TYPE I')
    return client


def drain(connection, limit=1_000_000):
    while limit > 0 and not stop.is_set():
        chunk = connection.recv(65536)
        if not chunk:
            break
        limit -= len(chunk)


def silent(chance, _):
    with connect() as connection:
        stop.wait(chance.uniform(0.5, 5))


def garbage(chance, _):
    with connect() as connection:
        connection.settimeout(2)
        begin = chance.choice([b'', b'GET / HTTP/1.1\r\n', b'\x16\x03\x01\x02\x00', b'\xff\xf4\xff\xf2', b'\n' * 500])
        connection.sendall(begin + chance.randbytes(4096) + b'\r\n')
        drain(connection)


def flood(chance, _):
    """Refused commands, without waiting for an answer: before the login, and behind it."""
    client = login() if chance.random() < 0.5 else None
    connection = client.sock if client else connect()
    try:
        connection.settimeout(2)
        line = chance.choice([b'PORT 192,0,2,1,31,144', b'EPRT |1|192.0.2.1|8080|', b'AUTH TLS', b'PORT 1', b'X' * 9000])
        connection.sendall((line + b'\r\n') * 200)
        drain(connection, 4000)
    finally:
        connection.close()


def reset_control(chance, _):
    client = login()
    if chance.random() < 0.5:
        client.sendcmd('PASV')
    else:
        client.makeport().close()
    client.file.close()
    reset(client.sock)


def never_connects(chance, _):
    client = login()
    for _ in range(chance.randint(1, 5)):
        client.sendcmd(chance.choice(['PASV', 'EPSV']))
    stop.wait(chance.uniform(0, 1))
    if chance.random() < 0.5:
        client.quit()
    client.close()


def never_listens(chance, _):
    client = login()
    client.makeport().close()
    try:
        client.voidcmd('RETR file-1k')
    except ftplib.error_temp:
        pass
    client.quit()


def reset_data(client, chance, command, use):
    """Resets the data connection after `use`, and sometimes hears what the server says of it."""
    client.set_pasv(chance.random() < 0.5)
    data = client.transfercmd(command)
    use(data)
    reset(data)
    if chance.random() < 0.5:
        try:
            client.voidresp()
        except ftplib.Error:
            pass
    client.close()


def reset_download(chance, _):
    reset_data(login(), chance, 'RETR file-big', lambda data: data.recv(chance.randint(1, 100_000)))


def reset_upload(chance, number):
    """Who reads the server's log finds no file of this name complete."""
    reset_data(
        login(), chance, 'STOR reset-%d' % number, lambda data: data.sendall(content[: chance.randint(1, 900_000)])
    )


def killed(chance, number):
    way = ['-T', '-'] if chance.random() < 0.5 else []
    name = 'killed-%d' % number if way else 'file-big'
    argv = ['curl', '-s', '--interface', settings['address'], '--limit-rate', '300k', *way]
    argv += chance.choice([[], ['--disable-epsv'], ['--ftp-port', settings['address']]])
    argv += ['--user', '%s:%s' % (settings['user'], settings['password']), 'ftp://%s:%d/%s' % (*where, name)]
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        if way:
            process.stdin.write(content[:60_000])
            process.stdin.flush()
        stop.wait(chance.uniform(0.05, 1))
    finally:
        process.kill()
        process.communicate()


def stranger(chance, _):
    """Tries ports where somebody else is expected."""
    first, last = settings['ports']
    for _ in range(100):
        if stop.is_set():
            return
        try:
            with connect(settings['stranger'], (where[0], chance.randint(first, last))) as connection:
                if connection.recv(1):
                    count('served')
        except ConnectionError:
            pass
        stop.wait(0.005)


kinds = [
    silent,
    garbage,
    flood,
    reset_control,
    never_connects,
    never_listens,
    reset_download,
    reset_upload,
    killed,
    stranger,
]


def turn(kind, number, chance):
    try:
        kind(chance, number)
    except (OSError, EOFError, ftplib.Error):
        # They get what they deserve.
        count('turned away')
    count(kind.__name__)
    # They are to disturb the good ones, and not to take their place.
    stop.wait(chance.uniform(0.1, 0.5))


run([('%s %d' % (settings['seed'], n), functools.partial(turn, kind, n)) for n, kind in enumerate(kinds)])
