"""Checks every link and anchor of the built site, and that it needs nothing from elsewhere.

    python docs/check_links.py build/docs

A link within the site must lead to a file, and its anchor to an element with that id. What a page loads (styles,
scripts, pictures) must be part of the site. A link out of it must be a well-formed https address: nothing is fetched.
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADS = {("img", "src"), ("script", "src"), ("link", "href"), ("source", "src"), ("iframe", "src")}


class Page(HTMLParser):
    """Ids of a page, and its links as (address, whether the page loads it)."""

    def __init__(self, path):
        super().__init__()
        self.ids, self.links = set(), []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name == "id":
                self.ids.add(value)
            if name in ("href", "src") and value is not None:
                self.links.append((value, (tag, name) in LOADS))


def complaint(page, address, loads, pages):
    """Return what is wrong with a link of a page, or None."""
    parts = urlsplit(address)
    if parts.scheme == "data":
        return None
    if parts.scheme or parts.netloc:
        if loads:
            return "is loaded from elsewhere"
        fine = parts.scheme == "https" and "." in parts.netloc and not any(c.isspace() for c in address)
        return None if fine else "is no well-formed https address"
    target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if target.is_dir():
        target /= "index.html"
    if not target.is_file():
        return "leads to no file"
    if parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].ids:
        return "leads to no such anchor"
    return None


def check(site):
    """Return (how many links there are, complaints)."""
    pages = {path.resolve(): Page(path) for path in sorted(site.rglob("*.html"))}
    links = [(path, *link) for path, page in pages.items() for link in page.links]
    wrong = []
    for path, address, loads in links:
        if said := complaint(path, address, loads, pages):
            wrong.append(f"{path.relative_to(site.resolve())}: {address} {said}")
    return len(links), wrong


def main():
    site = Path(sys.argv[1])
    count, wrong = check(site)
    if not count:
        sys.exit(f"{site} has no page with a link")
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"{count} links of {site}: all lead somewhere")


if __name__ == "__main__":
    main()
