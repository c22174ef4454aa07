"""Models on one web page, where they run: without a server, without Python."""

from shakegen.export.page.page import write_page

__all__ = ["write_page"]
