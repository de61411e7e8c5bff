"""Failures a rerun cannot help: Dagster is told not to try the step again."""

import dagster as dg

UNHELPABLE = (ValueError, TypeError, KeyError)
"""What the code raises on input or configuration that cannot be right; a lost connection is none of these."""


def permanent_failure(error: Exception) -> dg.Failure:
    """Failure that carries the error's message and is not retried."""
    return dg.Failure(f"{type(error).__name__}: {error}", allow_retries=False)
