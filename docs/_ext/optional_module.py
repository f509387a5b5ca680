"""`{optional-module} goursat.torch`: the reference of a module of the package, or a sentence where it has none."""

from importlib.util import find_spec

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective


class OptionalModule(SphinxDirective):
    required_arguments = 1

    def run(self):
        module = self.arguments[0]
        if find_spec(module) is None:
            text = f"This version of the package has no module {module}."
            return [nodes.note("", nodes.paragraph("", text))]
        lines = ["```{eval-rst}", f".. automodule:: {module}", "   :members:", "   :show-inheritance:", "```"]
        parent = nodes.Element()
        self.state.nested_parse(StringList(lines, source=self.env.docname), self.content_offset, parent)
        return parent.children


def setup(app):
    app.add_directive("optional-module", OptionalModule)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
