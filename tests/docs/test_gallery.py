"""The gallery is true: its commands draw its texts."""

import importlib.util
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_every_text_of_a_pretrained_model_is_drawn_again_letter_by_letter():
    spec = importlib.util.spec_from_file_location("gallery", DOCS / "gallery.py")
    gallery = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(gallery)
    page = (DOCS / "gallery.md").read_text(encoding="utf-8")
    assert len(gallery.DRAWN.findall(page)) == page.count("-m sonnets-") > 10
    assert gallery.redraw(page) == page, "run: python docs/gallery.py"
