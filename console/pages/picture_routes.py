"""Addresses of the pictures of learning."""

from starlette.routing import Route

from console.pages.crowding_page import crowding_page
from console.pages.decay_page import decay_page, decays_page
from console.pages.funnel_page import funnel_page, hypotheses_page


def picture_routes() -> list[Route]:
    """Address of each; all of them only read."""
    return [
        Route("/decay", decays_page),
        Route("/decay/{identity}", decay_page),
        Route("/crowding", crowding_page),
        Route("/funnel", funnel_page),
        Route("/funnel/asked", hypotheses_page),
    ]
