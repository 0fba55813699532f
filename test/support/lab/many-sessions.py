"""Begins thirty connections to port 21 of TARGET from LOCAL at once, and prints how many were answered."""
import socket
import sys

from echo import echo

local, target = sys.argv[1:3]
attempts = []
for _ in range(30):
    attempt = socket.socket()
    attempt.setblocking(False)
    attempt.bind((local, 0))
    attempt.connect_ex((target, 21))
    attempts.append(attempt)
echo(local, target)
errors = [attempt.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) for attempt in attempts]
print(f'{len(errors) - errors.count(0)} refused, {errors.count(0)} without answer')
