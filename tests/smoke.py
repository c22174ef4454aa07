"""Tries shakegen as it is installed, away from the repository: `python smoke.py`, in an environment of its own.

On any system: it trains, resumes, writes, packs, and makes a page, through the command that pip made.
"""

import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

LINES = "Shall I compare thee to a summer's day?\nThou art more lovely and more temperate: \u5e8a\u524d\n" * 40
TINY = ["--units", "8", "--seq-length", "20", "--batch-size", "8"]


def main() -> None:
    scripts = sysconfig.get_path("scripts")
    program = shutil.which("shakegen", path=scripts)
    assert program, f"there is no command shakegen in {scripts}"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def run(*arguments: str) -> str:
            print("shakegen", *arguments, flush=True)
            return subprocess.run(
                [program, *arguments], cwd=folder, check=True, stdout=subprocess.PIPE, encoding="utf-8"
            ).stdout

        where = run_python(folder, "import shakegen; print(shakegen.__file__)")
        assert Path(where).is_relative_to(Path(sys.prefix).resolve()), where
        (folder / "my.txt").write_text(LINES, encoding="utf-8")
        assert "train" in run("--help")
        assert "sonnets-gru" in run("models", "list")
        assert run("sample", "-m", "sonnets-gru", "--seed", "shall i", "--length", "40").startswith("shall i")
        run("train", "my.txt", *TINY, "--epochs", "1", "--checkpoint-every", "0.001")
        run("train", "my.txt", "--resume", "--epochs", "2")
        assert len(run("sample", "-m", "models/my-gru.h5", "--seed", "Shall", "--length", "20").strip("\n")) >= 20
        run("evaluate", "models/my-gru.h5", "my.txt")
        run("compress", "my.txt", "-m", "models/my-gru.h5")
        run("decompress", "my.txt.shk", "--out", "back.txt")
        assert (folder / "back.txt").read_bytes() == (folder / "my.txt").read_bytes()
        run("page", "models/my-gru.h5", "--out", "page.html")
        run("compare", "my.txt", "--cells", "rnn,gru", "--units", "4", "--epochs", "1", "--repeats", "1")
    print("All of it works.")


def run_python(folder: Path, code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, check=True, stdout=subprocess.PIPE, text=True)
    return str(Path(done.stdout.strip()).resolve())


if __name__ == "__main__":
    main()
