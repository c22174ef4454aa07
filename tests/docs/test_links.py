"""Links between documents lead somewhere, also where no site is built of them: on any host of repositories."""

import re

FENCED = re.compile(r"^(```+).*?^\1$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]+`")
LINK = re.compile(r"\]\((?!\w+:)([^)\s]*)\)")


def list_anchors(text):
    """The anchors of a document's headings, as hosts of repositories and MyST make them."""
    anchors, counts = set(), {}
    for heading in re.findall(r"^#+ (.+)$", FENCED.sub("", text), re.MULTILINE):
        slug = re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
        counts[slug] = counts.get(slug, -1) + 1
        anchors.add(f"{slug}-{counts[slug]}" if counts[slug] else slug)
    return anchors


def test_links_lead_to_files_and_headings_that_there_are(documents):
    checked = 0
    for path, text in documents.items():
        for target in LINK.findall(CODE.sub("", FENCED.sub("", text))):
            name, _, anchor = target.partition("#")
            place = (path.parent / name).resolve() if name else path
            assert place.is_file(), f"{path} links to {target}: there is no such file"
            if anchor:
                assert anchor in list_anchors(documents[place]), f"{path} links to {target}: there is no such heading"
            checked += 1
    assert checked > 80


def test_documents_are_reached_from_the_readme(documents, root):
    """By links alone, for readers without the site."""
    reached, new = set(), {root / "README.md"}
    while new:
        reached |= new
        links = {
            (path.parent / target.partition("#")[0]).resolve()
            for path in new
            for target in LINK.findall(documents[path])
        }
        new = (links & set(documents)) - reached
    assert not [str(path.relative_to(root)) for path in set(documents) - reached]
