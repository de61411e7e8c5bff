import pytest
from pydantic import ValidationError

from domain.config.bar import BarConfig


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_jump": 1.0},
        {"unit_step_min_share": 0.0},
        {"unit_step_min_ratio": 1.0},
        {"unit_step_tolerance": 1.0},
        {"unit_step_hold_factor": 0.9},
        {"future_tolerance_s": -1.0},
        {"max_jmp": 20.0},
    ],
)
def test_a_limit_that_cannot_be_right_is_refused(wrong):
    with pytest.raises(ValidationError):
        BarConfig(**wrong)


def test_a_step_must_be_a_move_that_a_lone_jump_would_not_catch():
    assert BarConfig().unit_step_min_ratio < BarConfig().max_jump
