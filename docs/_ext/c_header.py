"""The reference of the C interface, from include/goursat.h: what users of C read there, and nothing else.

`{c-header} introduction` is the header's first comment, `{c-header} types` its enumeration, callback and structs, and
`{c-header} functions` every function with its comment; single precision twins are left out, they are told of once.
"""

import re
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

HEADER = Path(__file__).resolve().parents[2] / "include" / "goursat.h"
FUNCTION = re.compile(r"/\*\*\n((?: \*.*\n)+?) \*/\n([\w* ]+?\bgoursat_\w+\([^;{}]*\));")


def bare(comment):
    """Return the text of a comment without its stars."""
    return "\n".join(re.sub(r"^ \* ?", "", line) for line in comment.rstrip().split("\n"))


def introduction(text):
    comment = re.match(r"/\*\n((?: \*.*\n)+?) \*/", text)
    return bare(comment.group(1)).strip()


def types(text):
    last = "} goursat_cuda_device_info;"
    start, end = text.index("/** Version of this header"), text.index(last)
    return text[start:end] + last


def functions(text):
    """Yield (prototype on one line, comment) of each function that is not the float twin of another."""
    for comment, prototype in FUNCTION.findall(text):
        prototype = re.sub(r"\s+", " ", prototype).replace("const struct ", "const ").replace("struct ", "")
        if not re.search(r"\bgoursat_\w+_f32\(", prototype):
            yield prototype, bare(comment)


def prose(text):
    """Return inline nodes of text whose `code` is literal."""
    parts = re.split(r"`([^`]+)`", " ".join(text.split()))
    return [nodes.literal("", part) if i % 2 else nodes.Text(part) for i, part in enumerate(parts) if part]


def description(comment):
    """Return the paragraphs of a comment and the list of its parameters."""
    text, *tagged = re.split(r"^@(?=param|return)", comment, flags=re.MULTILINE)
    found = [nodes.paragraph("", "", *prose(paragraph)) for paragraph in text.strip().split("\n\n")]
    items = nodes.definition_list()
    for tag in tagged:
        # Names are separated from what is said of them by two spaces, but for one long list of names.
        kind, rest = tag.split(None, 1)
        names, said = ("returns", rest) if kind == "return" else re.split(r"\s{2,}", rest, maxsplit=1)
        term = nodes.term("", "", nodes.literal("", names) if kind == "param" else nodes.emphasis("", names))
        items += nodes.definition_list_item("", term, nodes.definition("", nodes.paragraph("", "", *prose(said))))
    return [*found, items] if tagged else found


class CHeader(SphinxDirective):
    required_arguments = 1

    def run(self):
        self.env.note_dependency(str(HEADER))
        text = HEADER.read_text(encoding="utf-8")
        part = self.arguments[0]
        if part == "introduction":
            return [nodes.literal_block(introduction(text), introduction(text), language="none")]
        if part == "types":
            return [nodes.literal_block(types(text), types(text), language="c")]
        if part == "functions":
            return [node for prototype, comment in functions(text) for node in self.function(prototype, comment)]
        raise self.error(f"c-header knows introduction, types and functions, not {part}")

    def function(self, prototype, comment):
        parent = nodes.Element()
        lines = StringList([f"```{{c:function}} {prototype}", "```"], source=str(HEADER))
        self.state.nested_parse(lines, self.content_offset, parent)
        parent.children[-1][-1].extend(description(comment))
        return parent.children


def setup(app):
    app.add_directive("c-header", CHeader)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
