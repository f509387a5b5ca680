"""The parts of the site that are programs: the reference of C, the mathematics, and the check of links."""

import re

import c_header
import check_links
import griffe
import mathml
import optional_module
import pytest
from docutils import nodes
from sphinx.ext.napoleon import Config

HEADER = c_header.HEADER.read_text(encoding="utf-8")


def test_every_function_of_the_header_is_on_its_page():
    declared = set(re.findall(r"^[\w* ]+?\b(goursat_\w+)\([^;{}]*\);", HEADER, re.MULTILINE))
    shown = {re.search(r"\b(goursat_\w+)\(", prototype).group(1) for prototype, _ in c_header.functions(HEADER)}
    assert declared - shown == {name for name in declared if name.endswith("_f32")}
    assert len(shown) > 15


def test_parameters_and_their_descriptions():
    comment = "Does `this`.\n\n@param x    (a, b), or\n           more.\n@param y, z  As x.\n@return Bytes."
    *paragraphs, items = c_header.description(comment)
    assert [paragraph.astext() for paragraph in paragraphs] == ["Does this."]
    found = [(item[0].astext(), item[1].astext()) for item in items]
    assert found == [("x", "(a, b), or more."), ("y, z", "As x."), ("returns", "Bytes.")]


def test_unknown_mathematics_is_a_warning(monkeypatch):
    said = []
    monkeypatch.setattr(mathml.LOGGER, "warning", lambda text, *arguments, **_: said.append(text % arguments))
    assert "<mi>x</mi>" in mathml.mathml(nodes.math("", "x^2"), block=False)
    assert not said
    assert mathml.mathml(nodes.math("", r"\nonsense"), block=False) == ""
    assert "nonsense" in said[0]


def test_brackets_stretch_where_left_and_right_say_so():
    html = mathml.mathml(nodes.math("", r"\langle x \rangle \lVert x \rVert (x)"), block=True)
    assert html.count('stretchy="false"') == html.count("<mo") == 6
    assert 'stretchy="false"' not in mathml.mathml(nodes.math("", r"\left( x \right)"), block=True)


MODULE = '''
"""A module."""
import numpy as np
from ._elsewhere import other
__all__ = ["Thing", "work"]

class Thing:
    """A thing.

    Parameters
    ----------
    size : int
        How large.
    """
    def __init__(self, size: int, *rest: int, loud: bool = False, **more): ...
    def act(self, x: int = 3) -> int:
        """Act."""
    def _private(self): "no"

def work(a, b=2, *, c: str = "d"):
    """Work."""

def hidden(): "not in __all__"
'''


def test_modules_are_read_and_not_imported(tmp_path):
    (tmp_path / "unheard_of.py").write_text(MODULE)
    text = "\n".join(optional_module.reference(griffe.load("unheard_of", search_paths=[tmp_path]), Config()))
    for line in (
        ".. py:module:: unheard_of",
        ".. py:class:: Thing(size, *rest, loud=False, **more)",
        "   A thing.",
        "   :type size: int",
        "   .. py:method:: act(x=3)",
        "      Act.",
        '.. py:function:: work(a, b=2, *, c="d")',
    ):
        assert line in text.replace("'d'", '"d"').split("\n"), text
    assert "A module" not in text
    assert "private" not in text
    assert "hidden" not in text


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ('<a href="other.html#there">', None),
        ('<a href="#here">', None),
        ('<a href="folder/">', None),
        ('<a href="https://example.org/a">', None),
        ('<a href="other.html#nowhere">', "leads to no such anchor"),
        ('<a href="#nowhere">', "leads to no such anchor"),
        ('<a href="missing.html">', "leads to no file"),
        ('<img src="missing.png">', "leads to no file"),
        ('<a href="http://example.org">', "is no well-formed https address"),
        ('<a href="https://exa mple.org">', "is no well-formed https address"),
        ('<script src="https://example.org/a.js">', "is loaded from elsewhere"),
        ('<link href="//example.org/a.css">', "is loaded from elsewhere"),
    ],
)
def test_links(tmp_path, link, said):
    (tmp_path / "index.html").write_text(f'<p id="here">{link}')
    (tmp_path / "other.html").write_text('<p id="there">')
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "index.html").write_text("")
    count, wrong = check_links.check(tmp_path)
    assert count == 1
    assert [each.rsplit(" " + said, 1)[1:] for each in wrong] == [[""]] if said else not wrong
