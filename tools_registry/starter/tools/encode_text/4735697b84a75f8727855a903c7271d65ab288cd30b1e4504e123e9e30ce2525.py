"""Encodes or decodes a text (UTF-8) as base64, base64url, base32, hex, url or html."""

import base64
import html
from urllib.parse import quote, unquote

from pydantic import BaseModel, Field

__TOOL_META__ = {
    "name": "encode_text",
    "description": "Encodes or decodes a text (UTF-8) as base64, base64url, base32, hex, url or html.",
    "dependencies": [],
}


class InputModel(BaseModel):
    text: str = Field(description='The text')
    encoding: str = Field(description='base64, base64url, base32, hex, url or html')
    decode: bool = Field(False, description='Whether to decode instead of encode')


class OutputModel(BaseModel):
    result: str = Field(description="The encoded or decoded text")


def _bytes(encode, decode):
    def forth(text: str) -> str:
        return encode(text.encode()).decode()

    def back(text: str) -> str:
        return decode(text.encode("ascii")).decode()

    return forth, back


CODECS = {
    "base64": _bytes(base64.b64encode, lambda data: base64.b64decode(data, validate=True)),
    "base64url": _bytes(base64.urlsafe_b64encode, base64.urlsafe_b64decode),
    "base32": _bytes(base64.b32encode, base64.b32decode),
    "hex": (lambda text: text.encode().hex(), lambda text: bytes.fromhex(text).decode()),
    "url": (lambda text: quote(text, safe=""), lambda text: unquote(text, errors="strict")),
    "html": (html.escape, html.unescape),
}


def run(input: InputModel) -> OutputModel:
    if input.encoding not in CODECS:
        raise ValueError(f"the encoding must be one of {', '.join(CODECS)}")
    encode, decode = CODECS[input.encoding]
    return OutputModel(result=(decode if input.decode else encode)(input.text))
