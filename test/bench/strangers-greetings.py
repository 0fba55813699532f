"""Prints how long each of COUNT connections, one after the other, waits for its greeting, in ms, as JSON:

    strangers-greetings.py HOST PORT COUNT
"""
import json
import socket
import sys
import time

host, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
waited = []
for _ in range(count):
    began = time.perf_counter()
    with socket.create_connection((host, port), 30) as connection:
        connection.settimeout(30)
        line = connection.recv(1000)
        waited.append((time.perf_counter() - began) * 1000)
        if not line.startswith(b'220'):
            sys.exit(f'no greeting: {line!r}')
print(json.dumps(waited))
