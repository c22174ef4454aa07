"""The constraint that keeps copies of a corpus out, with the index of the corpus kept in the cache folder."""

from shakegen.sampling.constraints import CopyIndex, NoCopy
from shakegen.sampling.constraints.copy_index import build_entries, check_length
from shakegen.text import id_cache
from shakegen.text.corpus import LEAST_CACHED, Corpus

FORMAT = 1  # of the entries; a change of `copy_index` that changes them changes it


def keep_from_copying(corpus: Corpus, n: int) -> NoCopy:
    """The constraint `NoCopy`. The index of a corpus of `LEAST_CACHED` characters or more is made once, and mapped.

    Args:
        corpus: of characters.
        n: the length of a passage that counts as copied.

    Raises:
        ValueError: as `NoCopy`.
    """
    check_length(n)
    if len(corpus.ids) < LEAST_CACHED or corpus.level != "char":
        return NoCopy(corpus, n)
    name = id_cache.make_name([FORMAT, corpus.sha256, corpus.vocabulary.to_json(), n], "copies")
    cached = id_cache.load(name)
    if cached is None or len(cached[1]) != len(corpus.ids) - n + 1:
        entries = build_entries(corpus.ids, n)

        def write(file) -> dict:
            file.write(entries.astype("<u8", copy=False))
            return {"dtype": "<u8", "vocabulary_size": 1 << 64}

        id_cache.save(name, write)
    else:
        entries = cached[1]
    return NoCopy(corpus, n, CopyIndex(corpus.ids, n, entries))
