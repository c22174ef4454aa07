"""Checks the contents of wheels and source archives: `python tests/distribution.py dist/*`."""

import configparser
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
HOST = (".ci/", ".github/")  # what is in git for its host alone
MADE = {"PKG-INFO", "setup.cfg", *(f"shakegen.egg-info/{name}" for name in (
    "PKG-INFO", "SOURCES.txt", "dependency_links.txt", "entry_points.txt", "requires.txt", "top_level.txt",
))}  # fmt: skip
METADATA = r"shakegen-[^/]+\.dist-info/(METADATA|RECORD|WHEEL|entry_points\.txt|top_level\.txt|(licenses/)?LICENSE)"


def expect_in_wheel() -> set[str]:
    """The files of this checkout that its wheel has: the code, and the data that `setup.cfg` names."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    folders = dict(re.findall(r"^(\S+) = (\S+)$", config["options"]["package_dir"], re.MULTILINE))
    names = {path.relative_to(ROOT).as_posix() for path in (ROOT / "shakegen").rglob("*.py")}
    for package, patterns in config["options.package_data"].items():
        place = package.replace(".", "/")
        folder = ROOT / folders.get(package, place)
        for pattern in re.split(r"[,\s]+", patterns.strip()):
            found = {f"{place}/{path.relative_to(folder).as_posix()}" for path in folder.glob(pattern)}
            names |= found or {f"{place}/{pattern}"}  # a name without a file is missed
    return names


def check_wheel(path: Path) -> list[str]:
    """What is wrong with the contents of a wheel; [] if nothing is."""
    with zipfile.ZipFile(path) as archive:
        names = {name for name in archive.namelist() if not re.fullmatch(METADATA, name)}
    return compare(names, expect_in_wheel())


def check_sdist(path: Path) -> list[str]:
    """What is wrong with the contents of a source archive; [] if nothing is."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    with tarfile.open(path) as archive:
        names = {one.name.partition("/")[2] for one in archive.getmembers() if one.isfile()}
    return compare(names - MADE, {name for name in listed.split("\0") if name and not name.startswith(HOST)} - MADE)


def compare(names: set[str], expected: set[str]) -> list[str]:
    strange, missing = sorted(names - expected), sorted(expected - names)
    return [f"it has {name}" for name in strange] + [f"it lacks {name}" for name in missing]


def main(paths: list[str]) -> None:
    wrong = [
        f"{path}: {one}"
        for path in map(Path, paths)
        for one in (check_wheel(path) if path.suffix == ".whl" else check_sdist(path))
    ]
    if wrong or not paths:
        sys.exit("\n".join(wrong) or "no distribution to check")
    print(f"{len(paths)} distributions have what they should.")


if __name__ == "__main__":
    main(sys.argv[1:])
