"""The conformance suite: what a hostile tool tries, and what any sandbox must make of it.

``yunjue sandbox check`` runs it; authors of backends use
:mod:`yunjue.sandbox.conformance.pytest_plugin`.
"""
