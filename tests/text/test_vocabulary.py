"""What every vocabulary does with ids."""

import numpy as np
import pytest

from shakegen.network.config import EMBEDDINGS
from shakegen.study.autocomplete.outputs import Outputs
from shakegen.text import levels
from shakegen.text.subword_vocabulary import SubwordVocabulary
from shakegen.text.vocabulary import Vocabulary
from shakegen.text.windows import one_hot_windows
from shakegen.text.word_vocabulary import WordVocabulary

VOCABULARIES = [
    *[Vocabulary("abc"), Vocabulary("abc", unknown=True), SubwordVocabulary("ab"), WordVocabulary(["a", " b"])],
    Outputs(["a", "b"]),
]


@pytest.mark.parametrize("vocabulary", VOCABULARIES, ids=lambda vocabulary: type(vocabulary).__name__)
def test_every_id_has_a_text_and_no_other_number_has_one(vocabulary):
    assert len("".join(vocabulary.decode(range(len(vocabulary))))) >= 3
    for wrong in (-1, len(vocabulary), 999):
        with pytest.raises(ValueError) as error:
            vocabulary.decode([0, wrong])
        assert str(error.value) == f"there is no id {wrong}: expected whole numbers from 0 to {len(vocabulary) - 1}"


def test_every_level_has_a_vocabulary_and_a_usual_embedding():
    assert [*levels.VOCABULARIES] == [*EMBEDDINGS]


@pytest.mark.parametrize("wrong", [-1, 3, 999])
def test_one_hot_windows_are_of_ids_of_the_vocabulary(wrong):
    ids = np.arange(100) % 3
    ids[50] = wrong
    with pytest.raises(ValueError) as error:
        one_hot_windows(ids, Vocabulary("abc"), length=5)
    assert str(error.value) == f"there is no id {wrong}: expected whole numbers from 0 to 2"
