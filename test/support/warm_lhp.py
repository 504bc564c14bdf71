"""The real lhp, imported once and forked for each run: importing it, and again in each of its workers, is nine tenths of the time
of a small generate. Run with the Python of a venv that has lhp: `warm_lhp.py SOCKET`; the launcher beside it asks it to run.

Of a request come the command line, folder, environment and the launcher's own stdin, stdout and stderr; the answer is the exit
status. What runs is lhp's own entry point, in a process of its own; only its workers are forked where it would spawn them.
"""

import gc
import importlib
import json
import multiprocessing
import os
import pkgutil
import signal
import socket
import sys

import lhp
from lhp.cli.main import cli

# Its commands import most of it only when they are called.
for module in pkgutil.walk_packages(lhp.__path__, "lhp.", onerror=lambda _: None):
    try:
        importlib.import_module(module.name)
    except ImportError:
        pass  # of an extra that is not installed

context = multiprocessing.get_context
multiprocessing.get_context = lambda method=None: context("fork")


def become(request, descriptors):
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    sys.argv = request["argv"]
    sys.exit(cli())


def serve(connection):
    """Forks lhp, waits for it and tells its status; False in the process that is to be lhp."""
    message, descriptors, _, _ = socket.recv_fds(connection, 1 << 20, 3)
    while not message.endswith(b"\n"):
        message += connection.recv(1 << 20)
    child = os.fork()
    if child == 0:
        return json.loads(message), descriptors
    _, status = os.waitpid(child, 0)
    connection.sendall(b"%d" % os.waitstatus_to_exitcode(status))
    os._exit(0)


if __name__ == "__main__":
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(sys.argv[1])
        server.listen(64)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        gc.freeze()
        print("ready", flush=True)
        while True:
            connection, _ = server.accept()
            if os.fork() == 0:
                break
            connection.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    request, descriptors = serve(connection)
    connection.close()
    become(request, descriptors)
