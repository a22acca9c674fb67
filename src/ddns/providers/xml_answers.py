"""XML as providers speak it: an answer becomes a tree without entities, a tree becomes a request's body."""

from __future__ import annotations

from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

from ddns.errors import Malformed
from ddns.providers import answers


def tree(body: bytes, who: str) -> Element:
    """An answer's root. Raises Malformed when it is not XML in UTF-8, or declares a document type: none needs one."""
    try:
        text = body.decode("utf-8")
        if "<!DOCTYPE" in text:
            raise Malformed(f"{who}: the answer declares a document type")
        return ET.fromstring(text)  # noqa: S314 - without a document type there are no entities to expand
    except (ValueError, ET.ParseError) as error:
        raise Malformed(f"{who}: the answer is not XML: {answers.excerpt(body)}") from error


def name(element: Element) -> str:
    """An element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def child(element: Element, *path: str) -> Element | None:
    """The first element below by this path, of any namespace."""
    return element.find("/".join(f"{{*}}{step}" for step in path))


def children(element: Element, *path: str) -> list[Element]:
    """All elements below by this path, of any namespace."""
    return element.findall("/".join(f"{{*}}{step}" for step in path))


def text(element: Element, *path: str) -> str:
    """The text below by this path, without outer spaces; "" when there is none."""
    found = child(element, *path)
    return "" if found is None or found.text is None else found.text.strip()


def put(parent: Element, name: str, text: str | None = None) -> Element:
    """Add an element below another."""
    made = ET.SubElement(parent, name)
    made.text = text
    return made


def document(root: Element) -> bytes:
    """A request's body."""
    return bytes(ET.tostring(root, "utf-8", xml_declaration=True))
