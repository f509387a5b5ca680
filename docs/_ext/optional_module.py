"""`{optional-module} goursat.torch`: the reference of a module of the package, or a sentence where it has none.

The module is read and not imported: what it needs (PyTorch, JAX, ...) need not be installed where the site is built.
"""

from importlib.util import find_spec
from pathlib import Path

import griffe
from docutils import nodes
from docutils.statemachine import StringList
from sphinx.ext.napoleon import NumpyDocstring
from sphinx.util.docutils import SphinxDirective

PREFIXES = {griffe.ParameterKind.var_positional: "*", griffe.ParameterKind.var_keyword: "**"}


def arguments(parameters):
    """Return a list of parameters as autodoc writes it without types."""
    written, starred = [], False
    for each in parameters:
        if each.name in ("self", "cls"):
            continue
        starred |= each.kind is griffe.ParameterKind.var_positional
        if each.kind is griffe.ParameterKind.keyword_only and not starred:
            written.append("*")
            starred = True
        bare = each.default is None or each.kind in PREFIXES
        written.append(PREFIXES.get(each.kind, "") + each.name + ("" if bare else f"={each.default}"))
    return f"({', '.join(written)})"


def prose(item, config, what):
    """Return the lines of a docstring in NumPy's form as those of reStructuredText."""
    text = item.docstring.value if item.docstring else ""
    return NumpyDocstring(text, config, what=what, name=item.name, obj=None).lines()


def entry(item, config, indent=""):
    """Return the lines of a function, class, method or constant."""
    if item.is_class:
        kind, signature = "class", arguments(item.parameters)
    elif item.is_function:
        kind, signature = ("method" if item.parent.is_class else "function"), arguments(item.parameters)
    else:
        kind, signature = "attribute" if item.parent.is_class else "data", ""
    deeper = indent + "   "
    lines = [f"{indent}.. py:{kind}:: {item.name}{signature}", ""]
    lines += [deeper + line if line else "" for line in prose(item, config, kind)] + [""]
    if item.is_class:
        for member in item.members.values():
            if not member.name.startswith("_") and not member.is_alias and member.docstring:
                lines += entry(member, config, deeper)
    return lines


def reference(module, config):
    """Return the lines of what a module names in its __all__; of the module, the page itself tells."""
    lines = [f".. py:module:: {module.path}", ""]
    for name in module.exports or ():
        member = module.members[str(name)]
        lines += entry(member.final_target if member.is_alias else member, config)
    return lines


class OptionalModule(SphinxDirective):
    required_arguments = 1

    def run(self):
        name = self.arguments[0]
        spec = find_spec(name)
        if spec is None:
            return [nodes.note("", nodes.paragraph("", f"This version of the package has no module {name}."))]
        self.env.note_dependency(spec.origin)
        package, _, rest = name.partition(".")
        loaded = griffe.load(package, search_paths=[Path(find_spec(package).origin).parents[1]])
        module = loaded[rest] if rest else loaded
        lines = ["```{eval-rst}", *reference(module, self.config), "```"]
        parent = nodes.Element()
        self.state.nested_parse(StringList(lines, source=spec.origin), self.content_offset, parent)
        return parent.children


def setup(app):
    app.add_directive("optional-module", OptionalModule)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
