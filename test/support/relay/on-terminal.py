"""Runs a command on a terminal of its own: on-terminal.py COLUMNS ROWS STEP... -- COMMAND...

A step is TEXT=>KEYS: once TEXT has come since the step before, KEYS are typed; @SIGTERM is a signal, @size COLUMNS ROWS
another size. Prints in JSON what came, the exit code, whether the terminal is set as before, and the steps that are left.
"""
import fcntl, json, os, pty, select, signal, struct, sys, termios, time

def size(fd, columns, rows):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))

columns, rows = int(sys.argv[1]), int(sys.argv[2])
cut = sys.argv.index('--')
steps = [step.split('=>', 1) for step in sys.argv[3:cut]]
main, child = pty.openpty()
size(main, columns, rows)
before = termios.tcgetattr(child)
pid = os.fork()
if pid == 0:
    os.setsid()
    fcntl.ioctl(child, termios.TIOCSCTTY, 0)
    for fd in (0, 1, 2):
        os.dup2(child, fd)
    os.execvp(sys.argv[cut + 1], sys.argv[cut + 1:])
seen, mark, limit, status = b'', 0, time.time() + 40, None
while time.time() < limit:
    if select.select([main], [], [], 0.05)[0]:
        seen += os.read(main, 65536)
    while steps and steps[0][0].encode() in seen[mark:]:
        mark = len(seen)
        keys = steps.pop(0)[1]
        if keys.startswith('@size '):
            size(main, *map(int, keys.split()[1:]))
        elif keys.startswith('@'):
            os.kill(pid, getattr(signal, keys[1:]))
        else:
            os.write(main, keys.encode())
    done, code = os.waitpid(pid, os.WNOHANG)
    if done:
        while select.select([main], [], [], 0.1)[0]:
            seen += os.read(main, 65536)
        status = os.waitstatus_to_exitcode(code)
        break
else:
    os.kill(pid, signal.SIGKILL)
print(json.dumps({
    'text': seen.decode(errors='replace'),
    'code': status,
    'isAsBefore': termios.tcgetattr(child) == before,
    'left': [step[0] for step in steps],
}))
