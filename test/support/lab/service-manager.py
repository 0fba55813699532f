#!/usr/bin/env python3
"""Starts a program as systemd starts a service, and prints what the program tells it, a line a datagram.

service-manager.py [--watchdog MICROSECONDS] [--socket NAME=ADDRESS:PORT | --socket NAME=/PATH] [--launcher PATH] ...
    -- PROGRAM ARGUMENTS

It keeps the descriptors that it is told to keep (FDSTORE=1), and hands them to the next program.

The program's output goes to standard error. SIGTERM and SIGHUP go on to the program; SIGUSR1 has it end and starts another.
With --launcher that shell is what is started and waited for, as the unit of the Debian package has it.
"""
import ctypes, json, os, signal, socket, sys, tempfile

words = sys.argv[1:]
split = words.index("--")
options, argv = words[:split], words[split + 1 :]
env = dict(os.environ)
listeners = []
for name, value in zip(options[::2], options[1::2]):
    if name == "--watchdog":
        env["WATCHDOG_USEC"] = value
    elif name == "--socket":
        label, where = value.split("=", 1)
        if where.startswith("/"):
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(where)
        else:
            host, port = where.rsplit(":", 1)
            listener = socket.socket()
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, int(port)))
        listener.listen(64)
        listeners.append((label, listener))
    elif name == "--launcher":
        argv[:0] = ["/bin/sh", value]
        env["RUNTIME_DIRECTORY"] = tempfile.gettempdir()
        # Whom the shell has left is waited for here: PR_SET_CHILD_SUBREAPER.
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
    elif name == "--env":
        key, _, text = value.partition("=")
        env[key] = text

folder = tempfile.mkdtemp()
path = os.path.join(folder, "notify")
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.bind(path)
env["NOTIFY_SOCKET"] = path
# What the program has had kept: a name and a descriptor.
stored = []

def start():
    child = os.fork()
    if child != 0:
        return child
    os.dup2(2, 1)
    handed = [(label, listener.fileno()) for label, listener in listeners] + stored
    env.setdefault("LISTEN_FDS", str(len(handed)))
    env.setdefault("LISTEN_FDNAMES", ":".join(label for label, _ in handed))
    # Above the place of the first, so that none is closed before it is copied.
    copies = [os.dup2(fd, 200 + n) for n, (_, fd) in enumerate(handed)]
    for n, copy in enumerate(copies):
        os.dup2(copy, 3 + n)
        os.close(copy)
    env["LISTEN_PID"] = str(os.getpid())
    os.execvpe(argv[0], argv, env)


hasLauncher = "--launcher" in options
main = start()
isEnding = False


def receive():
    message, fds, _, _ = socket.recv_fds(notify, 4096, 8)
    fields = dict(line.split("=", 1) for line in message.decode().split("\n"))
    name = fields.get("FDNAME", "stored")
    if fields.get("FDSTORE") == "1":
        stored.extend((name, fd) for fd in fds)
    elif fields.get("FDSTOREREMOVE") == "1":
        for kept in [each for each in stored if each[0] == name]:
            os.close(kept[1])
            stored.remove(kept)
    return message.decode()


def pass_on(number, _):
    os.kill(main, number)


def restart(*_):
    """As systemctl restart does, where a process that has been told to end may go on: KillMode=process."""
    global main, isEnding
    if hasLauncher:
        # RestartKillSignal=; the next is started behind its end.
        isEnding = True
        os.kill(main, signal.SIGTERM)
        return
    os.kill(main, signal.SIGTERM)
    main = start()


for number in (signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, pass_on)
signal.signal(signal.SIGUSR1, restart)
notify.settimeout(0.02)
code = 0
while True:
    try:
        print(json.dumps(receive()), flush=True)
    except TimeoutError:
        pass
    try:
        ended, status = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        break
    if ended:
        code = code or os.waitstatus_to_exitcode(status)
    if ended == main and isEnding:
        isEnding = False
        main = start()
os.unlink(path)
os.rmdir(folder)
sys.exit(code & 0xFF)
