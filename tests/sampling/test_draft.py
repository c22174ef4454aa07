"""Texts that grow as a caller adds to them."""


def test_what_was_added_last_can_be_taken_back(random_model, word_model):
    for model, seed in ((random_model(), "ab"), (word_model, "Shall I com")):
        draft = model.draft(seed)
        before, added = draft.likeliest(), draft.likeliest()[1][0]
        draft.write(added)
        after = draft.likeliest()
        draft.write(after[0][0])
        draft.erase()
        assert (draft.text, draft.likeliest()) == (seed + added, after)
        draft.erase()
        draft.erase()
        assert (draft.text, draft.length, draft.likeliest()) == (seed, 0, before)
        draft.write(added)
        assert draft.likeliest() == after
