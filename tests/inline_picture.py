"""A picture of the Dagster UI, read back: its Markdown decoded and its SVG parsed."""

import base64
import re
from xml.etree import ElementTree

SVG = "{http://www.w3.org/2000/svg}"
MARKDOWN = re.compile(r"!\[(?P<title>.*)\]\(data:image/svg\+xml;base64,(?P<data>[A-Za-z0-9+/]+=*)\)")


def parsed(markdown: str) -> ElementTree.Element:
    """Root of the SVG of a Markdown image."""
    found = MARKDOWN.fullmatch(markdown)
    assert found is not None, markdown[:200]
    return ElementTree.fromstring(base64.b64decode(found["data"], validate=True))


def words(root: ElementTree.Element) -> list[str]:
    """Text of a picture in the order it is drawn."""
    return [element.text or "" for element in root.iter(f"{SVG}text")]


def heights(root: ElementTree.Element) -> dict[str, float]:
    """Height of each text that occurs; of the last one where several are alike."""
    return {element.text or "": float(element.attrib["y"]) for element in root.iter(f"{SVG}text")}


def level_lines(path: str) -> list[tuple[float, float, float]]:
    """Left, height and length of each stroke of a path made of level lines only."""
    assert re.fullmatch(r"(M-?[\d.]+ -?[\d.]+h[\d.]+)*", path), path[:200]
    return [(float(x), float(y), float(length)) for x, y, length in re.findall(r"M(\S+) (\S+?)h([\d.]+)", path)]
