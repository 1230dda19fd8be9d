"""Markdown taken apart: what a reader sees as prose, without code, formulas and addresses.

Both ``claims`` and ``hygiene`` read through this, so that they agree on what prose is. What the
prose may say is their affair.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

HIDDEN = "\ufffc"
"""Stands in a block's text for a piece that is no prose: code, a formula, a link."""

_DIRECTIVE = re.compile(r"\{([\w:.-]+)\}\s*(.*)")
_NO_PROSE = {
    "bibliography",
    "code",
    "code-block",
    "code-cell",
    "contents",
    "eval-rst",
    "image",
    "include",
    "literalinclude",
    "math",
    "mermaid",
    "raw",
    "tableofcontents",
    "toctree",
}
_OPTION = re.compile(r"^\s*:[\w-]+:.*$", re.MULTILINE)
_TARGET = re.compile(r"^\(\S+\)=\s*$", re.MULTILINE)
_SILENT_HTML = re.compile(r"<(script|style|svg)\b.*?</\1>", re.DOTALL | re.IGNORECASE)
_TAG_OR_COMMENT = re.compile(r"<!--.*?-->|<[^>]+>", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A paragraph, a heading or a table cell.

    Attributes:
        text: its prose; comments stand in it as written, the rest that is no prose as
            :data:`HIDDEN`.
        line: where it begins in the Markdown, counted from 1.
        level: 1 to 6 for a heading, 0 for the rest.
        formulas: the formulas in it.
        images: (address, alternative text) of the images in it.
    """

    text: str
    line: int
    level: int = 0
    formulas: tuple[str, ...] = ()
    images: tuple[tuple[str, str], ...] = ()


@cache
def _parser() -> Any:
    from markdown_it import MarkdownIt
    from mdit_py_plugins.colon_fence import colon_fence_plugin
    from mdit_py_plugins.dollarmath import dollarmath_plugin
    from mdit_py_plugins.front_matter import front_matter_plugin

    return (
        MarkdownIt("commonmark")
        .enable("table")
        .use(front_matter_plugin)
        .use(dollarmath_plugin, allow_space=False, double_inline=True)
        .use(colon_fence_plugin)
    )


def blocks(markdown: str, first_line: int = 1) -> Iterator[Block]:
    """The blocks of a Markdown text, in order; MyST directives that hold prose are opened.

    >>> [block.text for block in blocks("# Title\\n\\nOne `code` and **two**.")]
    ['Title', 'One \ufffc and two.']
    """
    level, line = 0, first_line
    for token in _parser().parse(markdown):
        if token.map is not None:
            line = first_line + token.map[0]
        if token.type == "heading_open":
            level = int(token.tag[1])
        elif token.type == "heading_close":
            level = 0
        elif token.type == "inline":
            yield _inline(token, line, level)
        elif token.type == "html_block":
            yield Block(_html_text(token.content), line)
        elif token.type in ("math_block", "math_block_label"):
            yield Block(HIDDEN, line, formulas=(token.content,))
        elif token.type in ("fence", "colon_fence"):
            yield from _directive(token, line)


def _directive(token: Any, line: int) -> Iterator[Block]:
    match = _DIRECTIVE.match(token.info.strip())
    if match and match[1] not in _NO_PROSE:
        # The lines keep their number: an option becomes an empty line.
        yield from blocks(match[2], line)
        yield from blocks(_OPTION.sub("", token.content), line + 1)


def _inline(token: Any, line: int, level: int) -> Block:
    pieces: list[str] = []
    formulas: list[str] = []
    images: list[tuple[str, str]] = []
    in_link = 0
    for child in token.children or []:
        if child.type == "link_open":
            in_link += 1
        elif child.type == "link_close":
            in_link -= 1
            pieces.append(HIDDEN)
        elif child.type == "image":
            images.append((child.attrGet("src") or "", child.content))
            pieces.append(HIDDEN)
        elif child.type == "html_inline":
            pieces.append(child.content if child.content.startswith("<!--") else "")
        elif child.type in ("code_inline", "math_inline", "math_inline_double"):
            pieces.append(HIDDEN)
            if child.type != "code_inline":
                formulas.append(child.content)
        elif child.type in ("softbreak", "hardbreak"):
            pieces.append("\n")
        elif child.type == "text" and not in_link:
            pieces.append(child.content)
    text = _TARGET.sub("", _OPTION.sub("", "".join(pieces)))
    return Block(text, line, level, tuple(formulas), tuple(images))


def _html_text(html: str) -> str:
    def replace(match: re.Match[str]) -> str:
        return match[0] if match[0].startswith("<!--") else ""

    return _TAG_OR_COMMENT.sub(replace, _SILENT_HTML.sub("", html))


def without_comments(text: str) -> str:
    """A block's text without its comments, which no reader sees."""
    return re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
