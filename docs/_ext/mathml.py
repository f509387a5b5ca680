"""Mathematics as MathML, made when the site is built: no JavaScript, no fonts to fetch."""

import re

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)

# Brackets and bars as high as the line: docutils says so of some, browsers stretch the others.
UNSAID = re.compile(r"<mo((?: class=\"math(?:open|close)\")?)>([⟨⟩‖])</mo>")


def mathml(node, block):
    try:
        return UNSAID.sub(r'<mo\1 stretchy="false">\2</mo>', tex2mathml(node.astext(), as_block=block))
    except MathError as error:
        LOGGER.warning("%s in %r", error, node.astext(), location=node)
        return ""


def inline(writer, node):
    writer.body.append(mathml(node, block=False))
    raise nodes.SkipNode


def display(writer, node):
    writer.body.append(f'<div class="math">{mathml(node, block=True)}</div>\n')
    raise nodes.SkipNode


def setup(app):
    app.add_html_math_renderer("mathml", (inline, None), (display, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
