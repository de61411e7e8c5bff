"""A page taken apart: elements with their attributes, and where its links lead."""

from html.parser import HTMLParser
from urllib.parse import urldefrag, urljoin, urlsplit

from console.pages.dagster_url import DAGSTER_URL


class ReadHtml(HTMLParser):
    """Elements of a page in their order; text inside them as one string."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes what is not open"
        self.text += " " if tag in {"td", "th"} else ""

    def handle_data(self, data) -> None:
        self.text += data

    def forbidden(self) -> list[str]:
        """What a strict policy would not let happen: scripts, styles and handlers inside the page, other hosts."""
        found = [tag for tag, _ in self.elements if tag in {"script", "style", "iframe", "object", "embed", "base"}]
        for tag, attributes in self.elements:
            found += [f"{tag} {name}" for name in attributes if name == "style" or name.startswith("on")]
            addresses = (attributes.get(name) or "" for name in ("href", "src", "action"))
            found += [text for text in addresses if _is_elsewhere(text) or text.startswith("javascript:")]
        return found

    def links(self, at: str) -> list[str]:
        """Addresses of this server that the page at `at` leads to, without places inside a page."""
        hrefs = [attributes.get("href") or "" for tag, attributes in self.elements if tag == "a"]
        return [urldefrag(urljoin(at, href)).url for href in hrefs if not urlsplit(href).netloc]


def _is_elsewhere(address: str) -> bool:
    """Whether an address leads to another host than the pages' and the Dagster UI's."""
    return bool(urlsplit(address).netloc) and not address.startswith(f"{DAGSTER_URL}/runs/")


VOID = {"meta", "link", "input", "br", "img"}
