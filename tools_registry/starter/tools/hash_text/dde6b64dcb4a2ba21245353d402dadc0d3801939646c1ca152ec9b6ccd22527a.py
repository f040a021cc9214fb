"""Computes the hash of a text (UTF-8) in lowercase hex: md5, sha1, sha224, sha256, sha384, sha512, sha3_256, blake2b, crc32 or adler32."""

import hashlib
import zlib

from pydantic import BaseModel, Field

__TOOL_META__ = {
    "name": "hash_text",
    "description": "Computes the hash of a text (UTF-8) in lowercase hex: md5, sha1, sha224, sha256, sha384, sha512, sha3_256, blake2b, crc32 or adler32.",
    "dependencies": [],
}


class InputModel(BaseModel):
    text: str = Field(description='The text')
    algorithm: str = Field('sha256', description='Name of the algorithm')


class OutputModel(BaseModel):
    digest: str = Field(description="The hash in lowercase hex")


CRYPTOGRAPHIC = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3_256", "blake2b")
CHECKSUMS = {"crc32": zlib.crc32, "adler32": zlib.adler32}


def run(input: InputModel) -> OutputModel:
    name, data = input.algorithm.lower().replace("-", ""), input.text.encode()
    if name in CHECKSUMS:
        return OutputModel(digest=f"{CHECKSUMS[name](data):08x}")
    if name not in CRYPTOGRAPHIC:
        raise ValueError(f"the algorithm must be one of {', '.join((*CRYPTOGRAPHIC, *CHECKSUMS))}")
    return OutputModel(digest=hashlib.new(name, data).hexdigest())
