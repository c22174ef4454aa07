"""Models on one web page, where they run: without a server, without Python. `page.write_page` makes it."""
