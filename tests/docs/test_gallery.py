"""The gallery and the README are true: their commands draw their texts."""

import gallery


def test_every_text_of_a_pretrained_model_is_drawn_again_letter_by_letter():
    pages = [path.read_text(encoding="utf-8") for path in gallery.PAGES]
    counts = [len(gallery.DRAWN.findall(page)) for page in pages]
    assert counts == [pages[0].count("-m sonnets-"), 1]
    assert counts[0] > 10
    assert [gallery.redraw(page) for page in pages] == pages, "run: python docs/site/gallery.py"
