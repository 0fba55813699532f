"""
closes-at-226.py HOST PORT USER PASSWORD MODE VERB [ARGUMENT] [TLS]

A download by a client as small ones are: it takes the final reply for the end of the file, reads what has come by then,
and closes. Prints the file. MODE is passive or active; TLS is a CA's path.
"""
import re
import select
import socket
import ssl
import sys

host, port, user, password, mode, verb, argument, authority = (sys.argv[1:] + ["", ""])[:8]
control = socket.create_connection((host, int(port)), timeout=20)
pending = b""


def line():
    global pending
    while b"\n" not in pending:
        chunk = control.recv(4096)
        if not chunk:
            raise EOFError(pending)
        pending += chunk
    first, pending = pending.split(b"\n", 1)
    return first.decode("latin-1")


def reply():
    last = line()
    if last[3:4] == "-":
        code = last[:3] + " "
        while not last.startswith(code):
            last = line()
    return last


def command(text, expected):
    control.sendall(text.encode() + b"\r\n")
    answer = reply()
    if not answer.startswith(expected):
        raise SystemExit(text + ": " + answer)
    return answer


reply()
context = None
if authority:
    context = ssl.create_default_context(cafile=authority)
    command("AUTH TLS", "234")
    control = context.wrap_socket(control, server_hostname=host)
command("USER " + user, "331")
command("PASS " + password, "230")
if context:
    command("PBSZ 0", "200")
    command("PROT P", "200")
command("TYPE I", "200")
if mode == "passive":
    numbers = [int(n) for n in re.search(r"(\d+),(\d+),(\d+),(\d+),(\d+),(\d+)", command("PASV", "227")).groups()]
    data = socket.create_connection((host, numbers[4] * 256 + numbers[5]), timeout=20)
    command((verb + " " + argument).strip(), "150")
else:
    listener = socket.create_server((control.getsockname()[0], 0))
    own, listening = listener.getsockname()
    command("PORT %s,%d,%d" % (own.replace(".", ","), listening >> 8, listening & 255), "200")
    command((verb + " " + argument).strip(), "150")
    listener.settimeout(20)
    data, _ = listener.accept()
if context:
    data = context.wrap_socket(data, server_hostname=host, session=control.session)
data.setblocking(False)


def come():
    """What can be read of the file without waiting; None at its end."""
    try:
        return data.recv(1 << 20)
    except (BlockingIOError, ssl.SSLWantReadError):
        return None


content = b""
over = None
while over is None:
    readable, _, _ = select.select([control, data], [], [], 20)
    if not readable:
        raise SystemExit("nothing came for 20 s")
    if control in readable:
        over = reply()
    elif chunk := come():
        content += chunk
    else:
        # It has the end; there is nothing to watch but the reply.
        over = reply() if chunk == b"" else None
while chunk := come():
    content += chunk
data.close()
if not over.startswith("226"):
    raise SystemExit(over)
sys.stdout.buffer.write(content)
sys.stdout.flush()
command("QUIT", "221")
