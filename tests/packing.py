"""Bytes compressed and decompressed in memory."""

import io

from shakegen.compression import compress, decompress


def pack(model, raw: bytes) -> bytes:
    target = io.BytesIO()
    sizes = compress(model, io.BytesIO(raw), target)
    assert sizes == (len(raw), len(target.getvalue()))
    return target.getvalue()


def unpack(models, packed: bytes) -> bytes:
    target = io.BytesIO()
    sizes = decompress(models, io.BytesIO(packed), target)
    assert sizes == (len(target.getvalue()), len(packed))
    return target.getvalue()
