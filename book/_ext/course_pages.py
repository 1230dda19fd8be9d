"""What the book makes of notebooks and pages: folds, terms, formulas, weight, previews.

The notebooks themselves stay plain CommonMark, as Jupyter and Colab show them; everything here
happens when the book is built, and nothing of it is stored.
"""

from __future__ import annotations

import ast
import json
import re
import struct
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from html import escape, unescape
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from docutils import nodes
from fontTools import subset
from math_core import LatexError, LatexToMathML
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util import logging

LOG = logging.getLogger(__name__)
FORMULAS = LatexToMathML(fancy_error=False)
GLOSSARY = "book/glossary"
SETUP = "# Set-up."
BANKS = Path(__file__).parents[2] / "cnncourse" / "checks" / "banks"
CHECK = re.compile(r'^check\("(\w+)"', re.MULTILINE)
SOLUTION = re.compile(r"^[ \t]*# (?:BEGIN|END) SOLUTION[ \t]*\n?", re.MULTILINE)

EVERYDAY = {
    *("array", "class", "filter", "float", "head", "interval", "jump", "label", "leak", "loss"),
    *("offset", "patch", "pixel", "rank", "rate", "scale", "score", "seed", "shape", "weight"),
    "window",
}
"""Terms that are also plain words: linked where a page sets them in bold, as it does to define."""

SYNONYMS = {
    r"\bsame\b.{0,80}padding|padding.{0,80}\bsame\b": "asymmetric uneven",
    r"\bbatch normalization\b": "batchnorm batch-norm BN normalisation",
    r"\bglobal average pooling\b": "GAP",
    r"\bmultiply-accumulate": "MAC MACs FLOPs",
    r"\bbackpropagation\b": "backprop",
    r"\blearning rate\b": "LR",
    r"\boptimizer\b": "optimiser",
    r"\bclass activation map": "CAM heatmap",
}
"""What people type into the search, by what a page says in its own words."""

NEEDED_FOR = {"explorer/widgets.js": "widget-", "design-tabs.js": "sd-tab-"}
"""Scripts for one thing alone, and what a page has that holds it."""

HIDDEN = nodes.literal, nodes.literal_block, nodes.math, nodes.math_block, nodes.reference
# The title of a dropdown, a rubric, becomes a button, which may hold no link.
TITLES = nodes.title, nodes.raw, addnodes.pending_xref, nodes.citation, nodes.rubric


# ---- notebooks, before they are parsed ---------------------------------------------------------


def prepare_notebook(app: Sphinx, docname: str, source: list[str]) -> None:
    """Fold the set-up, what gives a solution away, and the hints below each check."""
    if Path(app.env.doc2path(docname)).suffix != ".ipynb":
        return
    notebook = json.loads(source[0])
    for cell in notebook["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] == "code" and text.startswith(SETUP):
            _fold(cell, "Set-up of the notebook")
        elif "/solutions/" in docname:
            text = _solved(cell, text)
        cell["source"] = text
    if "/exercises/" in docname:
        notebook["cells"] = list(_with_hints(app, notebook["cells"], Path(docname).name))
    source[0] = json.dumps(notebook)


def _with_hints(app: Sphinx, cells: list[dict[str, Any]], lesson: str) -> Iterator[dict[str, Any]]:
    """Behind each check what `hint` would print, for those who read without a kernel."""
    for cell in cells:
        yield cell
        if "check" not in cell["metadata"].get("tags", []):
            continue
        for name in CHECK.findall(cell["source"]):
            bank = BANKS / f"{name}.py"
            app.env.note_dependency(bank)
            found = _help(bank)
            place = (
                f"In [the lesson](../{lesson}.ipynb), the section that begins with "
                f'"{found["section"]}".'
            )
            hints = {
                "A hint: the idea": found["idea"],
                "A hint: where the lesson explains it": place,
                "A hint: the next step": found["step"],
            }
            folds = (f"::::{{dropdown}} {title}\n{text}\n::::" for title, text in hints.items())
            yield {
                "cell_type": "markdown",
                "id": f"hints-{name}"[:64],
                "metadata": {},
                "source": "\n\n".join(folds),
            }


def _help(bank: Path) -> dict[str, str]:
    """The help that stands with an exercise, read without running it: a build has no Keras."""
    for node in ast.walk(ast.parse(bank.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "help":
            texts = {word.arg: ast.literal_eval(word.value) for word in node.keywords}
            # Printed as it is where there is a kernel; here a mark of Markdown would be one, if it
            # is not in code.
            return {
                word: re.sub(
                    r"(`[^`]*`)|([\\*_<\[\]$#|~])", lambda found: found[1] or f"\\{found[2]}", text
                )
                for word, text in texts.items()
            }
    raise ValueError(f"{bank.name} gives no help to show below its check.")


def _solved(cell: dict[str, Any], text: str) -> str:
    if cell["cell_type"] == "code":
        if SOLUTION.search(text):
            _fold(cell, "Show the solution")
        return SOLUTION.sub("", text)
    if "solution" in cell["metadata"].get("tags", []):
        title, body = re.fullmatch(r"(?:#+ (.+)\n)?(.*)", text, re.DOTALL).groups()
        return f"::::::{{dropdown}} {title or 'About the solution'}\n{body}\n::::::"
    return re.sub(r"^(# .+): exercise(s?)$", r"\1: solution\2", text, flags=re.MULTILINE)


def _fold(cell: dict[str, Any], prompt: str) -> None:
    cell["metadata"].setdefault("tags", []).append("hide-input")
    shown = cell["metadata"].setdefault("mystnb", {})
    shown["code_prompt_show"] = shown["code_prompt_hide"] = prompt


# ---- terms, once a page is parsed --------------------------------------------------------------


@cache
def _definitions(path: Path, _changed: float) -> dict[str, str]:
    page = path.read_text(encoding="utf-8")
    body = re.search(r"^:::\{glossary\}\n(.*?)^:::$", page, re.DOTALL | re.MULTILINE)[1]
    pairs = re.findall(r"^(\S.*)\n[ ]+(.+)$", body, re.MULTILINE)
    return {term: re.sub(r"[`$*]", "", meaning) for term, meaning in pairs}


def definitions(app: Sphinx) -> dict[str, str]:
    """The glossary: each term with its meaning, as plain text."""
    path = Path(app.env.doc2path(GLOSSARY))
    return _definitions(path, path.stat().st_mtime)


def link_terms(app: Sphinx, doctree: nodes.document) -> None:
    """Link the first use of each term on a page with its definition."""
    env = app.env
    if env.docname == GLOSSARY:
        return
    env.note_dependency(env.doc2path(GLOSSARY))
    by_word = {}
    for term in definitions(app):
        for form in (term, f"{term}s", f"{term}es", re.sub("y$", "ies", term)):
            by_word.setdefault(form.lower(), term)
    longest_first = sorted(map(re.escape, by_word), key=len, reverse=True)
    pattern = re.compile(rf"(?<![\w-])(?:{'|'.join(longest_first)})(?![\w-])", re.IGNORECASE)
    seen: set[str] = set()
    for text in list(doctree.findall(nodes.Text)):
        parents = list(_parents(text))
        if any(isinstance(parent, HIDDEN + TITLES) for parent in parents):
            continue
        bold = any(isinstance(parent, nodes.strong) for parent in parents)
        pieces, end = [], 0
        for found in pattern.finditer(text):
            term = by_word[found[0].lower()]
            if term in seen or (term in EVERYDAY and not (bold and found[0] == text)):
                continue
            seen.add(term)
            link = addnodes.pending_xref(
                "",
                nodes.inline(found[0], found[0], classes=["std-term"]),
                refdomain="std",
                reftype="term",
                reftarget=term,
                refexplicit=True,
                refwarn=True,
                refdoc=env.docname,
            )
            pieces += [nodes.Text(text[end : found.start()]), link]
            end = found.end()
        if pieces:
            text.parent.replace(text, [*pieces, nodes.Text(text[end:])])


def size_figures(app: Sphinx, doctree: nodes.document) -> None:
    """Show a figure at its size in inches, whatever its pixels; and load it when it is near."""
    for image in doctree.findall(nodes.image):
        image["loading"] = "lazy"
        path = Path(app.srcdir, image["candidates"].get("*", image["uri"]))
        if path.suffix != ".png" or "width" in image:
            continue
        data = path.read_bytes()
        at = data.find(b"pHYs")
        if at > 0:
            width, height = struct.unpack(">II", data[16:24])
            scale = 96 / (0.0254 * struct.unpack(">I", data[at + 4 : at + 8])[0])
            image["width"], image["height"] = f"{width * scale:.0f}", f"{height * scale:.0f}"


def _parents(node: nodes.Node) -> Iterator[nodes.Node]:
    while node := node.parent:
        yield node


def add_search_words(app: Sphinx, doctree: nodes.document) -> None:
    """Let the search find a page by other words for what it says."""
    text = doctree.astext()
    words = {"x".join(pair) for pair in re.findall(r"(\d+)[×⨯](\d+)", text)}
    for pattern, more in SYNONYMS.items():
        if re.search(pattern, text, re.IGNORECASE):
            words.update(more.split())
    if words:
        doctree.append(nodes.meta(name="keywords", content=" ".join(sorted(words)), lang="en"))


def define_on_hover(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Give each link to a term the definition as its title; course.js shows it to every hand."""
    places = app.env.get_domain("std").objects
    by_anchor = {places["term", term][1]: meaning for term, meaning in definitions(app).items()}
    for link in doctree.findall(nodes.reference):
        if any("std-term" in child.get("classes", []) for child in link.findall(nodes.inline)):
            link["classes"].append("term")
            anchor = link.get("refid") or link["refuri"].partition("#")[2]
            link["reftitle"] = by_anchor[anchor]


# ---- formulas ----------------------------------------------------------------------------------


def write_formula(writer: Any, node: nodes.math | nodes.math_block) -> None:
    """A formula as MathML, which browsers draw and screen readers read without any script."""
    block = isinstance(node, nodes.math_block)
    try:
        formula = FORMULAS.convert_with_local_state(node.astext(), displaystyle=block)
    except LatexError as error:
        LOG.warning("this formula has no MathML: %s", error, location=node)
        formula = escape(node.astext())
    tag = "div" if block else "span"
    writer.body.append(writer.starttag(node, tag, "", CLASS="math notranslate nohighlight"))
    writer.body.append(f"{formula}</{tag}>")
    raise nodes.SkipNode


def write_font(out: Path, pages: Iterable[str]) -> None:
    """The part of a mathematical font that the formulas need; few machines have one.

    STIX Two Math (SIL Open Font License) comes with the package ziamath. Letters alone are drawn
    from the italic ones of Unicode.
    """
    written = "".join(
        unescape(TAG.sub("", formula)) for page in pages for formula in MATH.findall(page)
    )
    italic = {chr(int(unicodedata.decomposition(one).split()[1], 16)): one for one in ITALIC}
    options = subset.Options(flavor="woff2", hinting=False, layout_features=["ssty"])
    options.drop_tables += ["DSIG"]
    font = subset.load_font(str(resources.files("ziamath") / "fonts" / FONT), options)
    subsetter = subset.Subsetter(options)
    slanted = "".join(italic.get(letter, "") for letter in set(written))
    subsetter.populate(text=written + slanted + ROOT)
    subsetter.subset(font)
    subset.save_font(font, str(out / "_static" / "formulas.woff2"), options)


FONT = "STIXTwoMath-Regular.ttf"
ROOT = "√"  # its sign is an element of MathML, and stands in no text
MATH, TAG = re.compile(r"<math\b.*?</math>", re.DOTALL), re.compile(r"<[^>]*>")
ITALIC = [
    *map(chr, range(0x1D434, 0x1D455)),
    "\u210e",  # Planck's, in place of an h
    *map(chr, range(0x1D456, 0x1D468)),
    *map(chr, range(0x1D6E2, 0x1D71C)),
]
"""Latin and Greek letters."""


# ---- the page around the text ------------------------------------------------------------------


def describe_page(
    app: Sphinx, name: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """A description and a preview for those who share the page; scripts that do not hold it up."""
    context["description"] = escape(_summary(doctree) if doctree else app.config.html_title)
    context["preview_image"] = f"{app.config.html_baseurl}_static/preview.png"
    body = context.get("body", "")
    scripts = []
    for script in context["script_files"]:
        file = str(getattr(script, "filename", script))
        if any(file.endswith(end) and mark not in body for end, mark in NEEDED_FOR.items()):
            continue
        # Inline scripts read the options while the page is read, and those of the search page
        # call the others at once; the rest may wait.
        waits = file and "documentation_options" not in file and name != "search"
        if waits and "defer" not in script.attributes:
            # A new one: the theme hands the same to every page.
            settings = {**script.attributes, "defer": "defer"}
            script = type(script)(script.filename, priority=script.priority, **settings)
        scripts.append(script)
    context["script_files"] = scripts


def _summary(doctree: nodes.document, limit: int = 160) -> str:
    """The first sentences of a page, without the line of links below its title."""
    for paragraph in doctree.findall(nodes.paragraph):
        text = " ".join(paragraph.astext().split())
        inside = isinstance(paragraph.parent, nodes.document | nodes.section)
        if inside and len(text) > 30 and not text.startswith("Open in Colab"):
            return text if len(text) <= limit else f"{text[:limit].rsplit(' ', 1)[0]} …"
    return doctree.next_node(nodes.title).astext()


def set_address(app: Sphinx, config: Any) -> None:
    """The address of the pages follows from the repository's, which stands once."""
    owner, _, name = urlsplit(config.html_theme_options["repository_url"]).path[1:].partition("/")
    config.html_baseurl = f"https://{quote(owner)}.github.io/{quote(name)}/"


def finish(app: Sphinx, error: Exception | None) -> None:
    """Write what depends on all pages: their icons, and the font of their formulas."""
    if error or app.builder.format != "html":
        return
    out = Path(app.outdir)
    pages = [page.read_text(encoding="utf-8") for page in out.rglob("*.html")]
    write_icons(out, pages)
    write_font(out, pages)


def write_icons(out: Path, pages: Iterable[str]) -> None:
    """A style sheet of the icons that the pages show, drawn from the theme's script of all."""
    script = out / "_static" / "scripts" / "fontawesome.js"
    everything = script.read_text(encoding="utf-8")
    used = set()
    for page in pages:
        for classes in re.findall(r'class="([^"]*\bfa-[^"]*)"', page):
            used.update(re.findall(r"\bfa-(?!solid|brands|regular|lg)([a-z-]+)", classes))
    rules = [
        ".fa-solid, .fas, .fab { display: inline-block; width: 1em; height: 1em; "
        "vertical-align: -0.125em; background: currentColor; mask: var(--icon) center / contain "
        "no-repeat; }",
        ".fa-lg { font-size: 1.25em; }",
        # The theme marks links to other sites with a glyph of a font of 118 kB.
        "a:is(.github, .gitlab)::before { content: none !important; }",
    ]
    for icon in sorted(used):
        width, height, path = _icon(everything, icon)
        drawing = (
            f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}'>"
            f"<path d='{path}'/></svg>"
        )
        rules.append(
            f'.fa-{icon} {{ --icon: url("data:image/svg+xml,{quote(drawing, safe=SAFE)}"); }}'
        )
    (out / "_static" / "icons.css").write_text("\n".join(rules) + "\n", encoding="utf-8")
    # The theme's own two thousand glyphs would hold up the first paint, and fetch two fonts.
    theme = out / "_static" / "styles" / "pydata-sphinx-theme.css"
    theme.write_text(GLYPH.sub("", theme.read_text(encoding="utf-8")), encoding="utf-8")


SAFE = " ='/:.,-"
GLYPH = re.compile(r'(?:\.fa-[\w-]+::?before,?)+\{content:"[^"]*"\}')


def _icon(script: str, name: str) -> tuple[str, str, str]:
    found = re.search(
        rf'(?<![\w-]){re.escape(name)}"?:\[(\d+),(\d+),\[[^\]]*\],"[0-9a-f]+","([^"]+)"\]', script
    )
    if not found:
        raise ValueError(f"The theme has no icon {name!r}; which one does a page use?")
    return found.groups()


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_html_math_renderer("mathml", (write_formula, None), (write_formula, None))
    app.connect("config-inited", set_address)
    app.connect("source-read", prepare_notebook)
    app.connect("doctree-read", link_terms)
    app.connect("doctree-read", add_search_words)
    app.connect("doctree-read", size_figures, priority=900)
    app.connect("doctree-resolved", define_on_hover)
    app.connect("html-page-context", describe_page, priority=900)
    app.connect("build-finished", finish, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
