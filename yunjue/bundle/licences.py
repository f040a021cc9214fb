"""Licences as SPDX expressions."""

from __future__ import annotations

NO_ASSERTION = "NOASSERTION"
"""SPDX for: nobody says under which licence this is."""


def canonical(text: str) -> str:
    """The expression in its one spelling: ``mit`` becomes ``MIT``.

    Raises:
        ValueError: it is no SPDX expression.
    """
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    if text.strip().upper() == NO_ASSERTION:
        return NO_ASSERTION
    try:
        return str(canonicalize_license_expression(text))
    except InvalidLicenseExpression as error:
        raise ValueError(f"{text[:60]!r} is no SPDX licence expression: {error}") from None
