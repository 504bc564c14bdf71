"""A server that imports the real lhp once and forks a process for each run.

Importing lhp, in the command and again in each of its workers, takes nine tenths of the time of a
small generate. Run it with the Python of a venv that has lhp: `warm_lhp.py SOCKET`. The launcher
that oracle.ts writes connects to the socket.

A request contains the command line, folder and environment, and the launcher's stdin, stdout and
stderr. The answer is the exit status. Each run executes lhp's own entry point in its own process;
its workers are forked instead of spawned.
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

# Most modules are imported only when a command needs them.
for module in pkgutil.walk_packages(lhp.__path__, "lhp.", onerror=lambda _: None):
    try:
        importlib.import_module(module.name)
    except ImportError:
        pass  # belongs to an extra that is not installed

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
    """Forks, waits for the child and sends its exit status. Returns the request in the child."""
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
