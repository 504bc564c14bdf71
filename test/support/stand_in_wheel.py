"""Builds wheels named lakehouse-plumber whose `lhp` prints where it runs.

The tests of launchers install them without a package index.
"""

import base64
import hashlib
import sys
import zipfile

MAIN = """import importlib.metadata, json, os, sys

def cli():
    print(json.dumps({
        "lhp": importlib.metadata.version("lakehouse-plumber"),
        "python": "%d.%d" % sys.version_info[:2],
        "cwd": os.getcwd(),
        "off": os.environ.get("DO_NOT_TRACK"),
    }))

if __name__ == "__main__":
    cli()
"""


def record(name: str, text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    digest = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(text)}\n"


def write(folder: str, version: str) -> None:
    info = f"lakehouse_plumber-{version}.dist-info"
    files = {
        "lhp/__init__.py": "",
        "lhp/cli/__init__.py": "",
        "lhp/cli/main.py": MAIN,
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: lakehouse-plumber\n"
        f"Version: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\n"
        "Tag: py3-none-any\n",
        f"{info}/entry_points.txt": "[console_scripts]\nlhp = lhp.cli.main:cli\n",
    }
    records = "".join(record(*file) for file in files.items())
    files[f"{info}/RECORD"] = records + f"{info}/RECORD,,\n"
    with zipfile.ZipFile(f"{folder}/lakehouse_plumber-{version}-py3-none-any.whl", "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)


for version in sys.argv[2:]:
    write(sys.argv[1], version)
