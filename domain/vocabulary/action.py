"""What the portfolio manager does to a position, and what that is on a venue."""

from enum import StrEnum


class OrderSide(StrEnum):
    """Direction of an order and of its fills."""

    BUY = "buy"
    SELL = "sell"


class ActionCategory(StrEnum):
    """Kind of an action: the first buy of a trade, a later buy, a partial sale, a sale of everything."""

    ENTRY = "entry"
    ADD = "add"
    TRIM = "trim"
    EXIT = "exit"

    @property
    def side(self) -> OrderSide:
        """Side of the order that carries the action out.

        >>> ActionCategory.TRIM.side
        <OrderSide.SELL: 'sell'>
        """
        return OrderSide.BUY if self in (ActionCategory.ENTRY, ActionCategory.ADD) else OrderSide.SELL


_CATEGORIES: dict[str, ActionCategory] = {category.value: category for category in ActionCategory}


def parse_action_category(name: str) -> ActionCategory:
    """Category of a name as it may arrive from outside.

    Raises
    ------
    ValueError
        If the name is no category. A synonym is refused too: a default would hide typing errors, and what one side
        writes under another name the other side never finds.

    >>> parse_action_category("add")
    <ActionCategory.ADD: 'add'>
    """
    category = _CATEGORIES.get(name)
    if category is None:
        raise ValueError(f"Expected an action category, one of {list(_CATEGORIES)}, was {name!r}")
    return category
