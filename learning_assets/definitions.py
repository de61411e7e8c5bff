"""Code location "learning": for now what it will read; its own assets come with the first closed trades."""

import dagster as dg

from learning_assets.upstream import UPSTREAM


@dg.definitions
def defs() -> dg.Definitions:
    return dg.Definitions(assets=UPSTREAM, executor=dg.in_process_executor)
