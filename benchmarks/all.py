"""Every benchmark: the commands that stand in the pages of measurements, and those of other scripts, in parts.

    python benchmarks/all.py --list
    python benchmarks/all.py                     # what is missing, for nine minutes; the same command goes on
    python benchmarks/all.py --only training --minutes 60

The output of each command is kept in a file of `--folder`, under the name of the processor. A command whose output is
there is not run again. To measure anew, delete the file and, of a command that keeps its runs (`--folder`, and the
study), also their .json and .h5 files: else it prints the old figures. A command that is still running when the part
ends is stopped. In the next part it goes on if it has `--folder`, or if its runs are processes of their own: a folder
beside the outputs keeps their figures until the command ends or the code changes. Other commands begin again; if one
takes longer than a part, give more `--minutes`.
"""

import argparse
import os
import platform
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from measuring import PARTS

ROOT = Path(__file__).resolve().parent.parent
MEASURES_NOTHING = {"all.py", "measuring.py", "models.py"}
PAGES = ("benchmarks/*.md", "docs/*.md", "docs/lab/*.md")
COMMAND = re.compile(r"python (benchmarks/\w+\.py)([^`|&;}\n]*)")


def unwrap(text: str) -> str:
    """A page of measurements with each command on one line."""
    text = text.replace("\\\n", " ")
    return re.sub(r"`[^`\n]*\n[^`\n]*`", lambda match: match[0].replace("\n", " "), text)


def find_commands(texts: Iterable[str]) -> list[list[str]]:
    """The commands of benchmarks in pages, each once: the path of the script from the root, and its arguments."""
    found = dict.fromkeys(match for text in texts for match in COMMAND.findall(unwrap(text)))
    commands = [[script, *shlex.split(words, comments=True)] for script, words in found]
    return [command for command in commands if not any(word.isupper() for word in command)]  # MODEL is the reader's


def list_all() -> list[list[str]]:
    """The commands of all pages, then the first one in each script that no page names."""
    paths = (path for pattern in PAGES for path in sorted(ROOT.glob(pattern)))
    commands = find_commands(path.read_text(encoding="utf-8") for path in paths)
    known = {*MEASURES_NOTHING, *(Path(script).name for script, *_ in commands)}
    others = (path for path in sorted(ROOT.glob("benchmarks/*.py")) if path.name not in known)
    return commands + [command for path in others for command in find_commands([path.read_text("utf-8")])[:1]]


def run_part(commands: list[list[str]], folder: Path, seconds: float) -> bool:
    """Run commands whose output is missing until all are done or the time is over; whether all are done."""
    end, failed = time.monotonic() + seconds, False
    (folder / "docs").mkdir(parents=True, exist_ok=True)  # where the study writes its page
    for number, command in enumerate(commands, 1):
        path = folder / f"{re.sub('[^-.=:,a-zA-Z0-9]+', '_', ' '.join(command))[:200]}.txt"
        parts = path.with_suffix(".parts")
        if path.exists():
            continue
        left = end - time.monotonic()
        if left <= 0:
            return False
        code = [*ROOT.glob("shakegen/**/*.py"), *ROOT.glob("benchmarks/*.py")]
        changed = max((one.stat().st_mtime for one in code), default=0)
        if parts.exists() and min((one.stat().st_mtime for one in parts.iterdir()), default=changed) < changed:
            shutil.rmtree(parts)  # some are of older code
        print(f"{number} of {len(commands)}: python {shlex.join(command)}", flush=True)
        try:
            done = run(command, folder, parts, left)
        except subprocess.TimeoutExpired:
            print(f"The part of {seconds / 60:g} minutes is over: this command was stopped. Start again to go on.")
            return False
        if done.returncode:
            print(f"It failed: {done.stderr.strip().rpartition(chr(10))[2]}", flush=True)
            failed = True
        else:
            path.write_text(f"{name_machine()}\npython {shlex.join(command)}\n\n{done.stdout}", encoding="utf-8")
            shutil.rmtree(parts, ignore_errors=True)
    return not failed


def run(command: list[str], folder: Path, parts: Path, seconds: float) -> subprocess.CompletedProcess:
    """Run a benchmark in a folder; what it has started ends with it if the time is over."""
    words, environment = [sys.executable, str(ROOT / command[0]), *command[1:]], os.environ | {PARTS: str(parts)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "encoding": "utf-8"}
    with subprocess.Popen(words, cwd=folder, env=environment, start_new_session=True, **pipes) as process:
        try:
            output, errors = process.communicate(timeout=seconds)
        except BaseException:
            os.killpg(process.pid, signal.SIGTERM)
            raise
    return subprocess.CompletedProcess(words, process.returncode, output, errors)


def name_machine() -> str:
    """The processor, its cores, and the day."""
    about = Path("/proc/cpuinfo")
    names = re.findall(r"^model name\s*: (.*)$", about.read_text(), re.MULTILINE) if about.exists() else []
    return f"{names[0] if names else platform.processor()}, {os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "benchmarks", help="of the outputs")
    parser.add_argument("--minutes", type=float, default=9.0, help="of this part  [default: 9]")
    parser.add_argument("--only", default="", help="commands with these words in them")
    parser.add_argument("--list", action="store_true", help="run nothing")
    arguments = parser.parse_args()
    commands = [command for command in list_all() if arguments.only in shlex.join(command)]
    if arguments.list:
        print(*(f"python {shlex.join(command)}" for command in commands), sep="\n")
    elif run_part(commands, arguments.folder.resolve(), 60 * arguments.minutes):
        print(f"All {len(commands)} outputs are in {arguments.folder}.")
    else:
        sys.exit(1)


if __name__ == "__main__":
    main()
