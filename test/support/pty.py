# pty.py ROWS COLUMNS COMMAND…: runs the command as the leader of a session on a new terminal.
# stdin: one JSON object a line: {"type": "text"}, {"size": [rows, columns]}, {"kill": "TERM"} or
# {"hangup": true}. The end of stdin is a hangup, too.
# stdout: every byte that the terminal shows. Descriptor 3: the exit status, as a shell reports it.
import fcntl
import json
import os
import pty
import select
import signal
import struct
import sys
import termios


def set_size(fd, rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))


rows, columns, command = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
pid, master = pty.fork()
if pid == 0:
    set_size(0, rows, columns)
    # Python ignores these two signals, and the command would inherit that.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    os.closerange(3, 256)
    os.execvp(command[0], command)


def show():
    """Passes on what the terminal showed; False when it is gone."""
    try:
        data = os.read(master, 65536)
    except OSError:  # EIO: nobody has the terminal open any more
        return False
    os.write(1, data)
    return bool(data)


def obey(line):
    order = json.loads(line)
    if 'type' in order:
        os.write(master, order['type'].encode())
    if 'size' in order:
        set_size(master, *order['size'])
    if 'kill' in order:
        os.kill(pid, getattr(signal, 'SIG' + order['kill']))
    if 'hangup' in order:
        hang_up()


def hang_up():
    if master in watched:
        watched.discard(master)
        os.close(master)


ended = os.pidfd_open(pid)
watched = {master, 0, ended}
pending = b''
while True:
    ready = select.select(watched, [], [])[0]
    if master in ready and not show():
        watched.discard(master)
    if 0 in ready:
        data = os.read(0, 65536)
        if not data:
            watched.discard(0)
            hang_up()
        *lines, pending = (pending + data).split(b'\n')
        for line in lines:
            obey(line)
    if ended in ready:
        break
while master in watched and select.select([master], [], [], 0)[0] and show():
    pass
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
os.write(3, str(status if status >= 0 else 128 - status).encode())
