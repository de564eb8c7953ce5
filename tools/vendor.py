"""Fetch the pinned browser libraries and lay them out under static/vendor/."""

import argparse
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

VENDOR_DIR = Path(__file__).resolve().parent.parent / "static" / "vendor"
MANIFEST = VENDOR_DIR / "manifest.json"


def sha256_of(data: bytes) -> str:
    """Return the hexadecimal SHA-256 of some bytes."""
    return hashlib.sha256(data).hexdigest()


def packed(name: str, version: str, into: Path) -> Path:
    """Download one npm package with the registry that npm is set up for."""
    done = subprocess.run(
        ["npm", "pack", "--silent", "--pack-destination", str(into), f"{name}@{version}"],
        check=True,
        capture_output=True,
        text=True,
    )
    return into / done.stdout.strip().splitlines()[-1]


def members_of(archive: Path) -> dict[str, bytes]:
    """Return the files of an npm archive by path inside the package."""
    found: dict[str, bytes] = {}
    with tarfile.open(archive) as tar:
        for item in tar:
            opened = tar.extractfile(item) if item.isfile() else None
            if opened is not None:
                found[item.name.removeprefix("package/")] = opened.read()
    return found


def install(package: dict[str, Any]) -> None:
    """Write one package's listed files, each only after its checksum has been met."""
    with tempfile.TemporaryDirectory() as folder:
        found = members_of(packed(package["name"], package["version"], Path(folder)))
    for path, expected in package["files"].items():
        actual = sha256_of(found[path])
        if actual != expected:
            sys.exit(f"{package['name']} {path}: expected {expected}, got {actual}")
    for path in package["files"]:
        target = VENDOR_DIR / package["name"] / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(found[path])


def differences(package: dict[str, Any]) -> list[str]:
    """Return the listed files that are missing or differ from the manifest."""
    wrong = []
    for path, expected in package["files"].items():
        target = VENDOR_DIR / package["name"] / path
        if not target.is_file() or sha256_of(target.read_bytes()) != expected:
            wrong.append(f"{package['name']}/{path}")
    return wrong


def main() -> None:
    """Bring static/vendor/ to what the manifest says; with --check, only compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, fetch nothing")
    only_check = parser.parse_args().check
    wrong: list[str] = []
    for package in json.loads(MANIFEST.read_text(encoding="utf-8"))["packages"]:
        if differences(package) and not only_check:
            install(package)
        wrong += differences(package)
        print(f"{package['name']} {package['version']} ({package['licence']})")
    if wrong:
        sys.exit("differs from the manifest: " + ", ".join(wrong))


if __name__ == "__main__":
    main()
