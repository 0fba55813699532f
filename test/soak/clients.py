"""
What the good and the bad clients share: the settings (JSON, the first argument), the counts, and threads that go on until a
line comes on standard input.
"""
import collections
import json
import random
import sys
import threading

settings = json.loads(sys.argv[1])
counts = collections.Counter()
lock = threading.Lock()
stop = threading.Event()


def count(what):
    with lock:
        counts[what] += 1


def run(turns, report=lambda: counts):
    """
    Calls each of `turns`, pairs of a seed and a function of a source of chance, in a thread of its own again and again,
    and prints what `report` returns once a second and at the end, as JSON.
    """

    def work(seed, turn):
        chance = random.Random(seed)
        while not stop.is_set():
            turn(chance)

    def tell():
        with lock:
            print(json.dumps(report()), flush=True)

    threads = [threading.Thread(target=work, args=each) for each in turns]
    threading.Thread(target=lambda: (sys.stdin.readline(), stop.set()), daemon=True).start()
    for thread in threads:
        thread.start()
    while not stop.wait(1):
        tell()
    for thread in threads:
        thread.join()
    tell()
