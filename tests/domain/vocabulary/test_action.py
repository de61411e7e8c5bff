"""Four kinds of action, two sides, and nothing in between."""

import pytest

from domain.vocabulary.action import ActionCategory, OrderSide, parse_action_category


@pytest.mark.parametrize(("category", "side"), [("entry", "buy"), ("add", "buy"), ("trim", "sell"), ("exit", "sell")])
def test_a_category_reads_back_and_has_one_side(category, side):
    assert parse_action_category(category) is ActionCategory(category)
    assert ActionCategory(category).side is OrderSide(side)


@pytest.mark.parametrize("wrong", ["", "Entry", "scale_up", "emergency_exit", "hold", "strength", "allocation", " add"])
def test_a_synonym_or_a_typing_error_is_no_category(wrong):
    with pytest.raises(ValueError, match="Expected an action category"):
        parse_action_category(wrong)
