"""Helpers of the tests of texts that are fetched: a text, an archive of it, their entry in the table of names."""

import hashlib
import io
import zipfile

from shakegen.text.named import Download, NamedText

TEXT = "".join(f"line {k} of a text\n" for k in range(20_000)).encode()


def zipped(members: dict) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


ZIP = zipped({"any name": TEXT})


def entry(url: str, content: bytes, text: bytes = TEXT) -> NamedText:
    checksum = f"md5:{hashlib.md5(text).hexdigest()}"
    return NamedText("a text", len(text), checksum, Download(url, len(content), hashlib.sha256(content).hexdigest()))


def kept(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")
