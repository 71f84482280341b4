"""What a replay could not send is told once, by endpoint and reason."""

from seamline.capture.model import NOT_SENT, Losses
from seamline.diffing.rounds import Round, Run
from seamline.diffing.unsent import unsent_lines
from support.captures import MANIFEST


def a_run(**reasons: int) -> Run:
    return Run(MANIFEST, (), Losses(skipped=sum(reasons.values()), reasons=reasons))


def test_what_both_sides_lack_is_one_line_and_other_losses_are_none() -> None:
    pay = f"{NOT_SENT}POST /orders/{{id}}/pay, because POST /orders gave no $.id (candidate)"
    show = f"{NOT_SENT}GET /orders/{{id}}, because POST /orders was answered 500 where the recording has 201"
    both = Round(a_run(**{pay: 3, "write not allowed": 2}), a_run(**{pay: 3, show: 1}))
    assert unsent_lines(both) == [
        "GET /orders/{id}: 1 not sent, because POST /orders was answered 500 where the recording has 201",
        "POST /orders/{id}/pay: 3 not sent, because POST /orders gave no $.id (candidate)",
    ]


def test_a_whole_replay_has_nothing_to_tell() -> None:
    assert unsent_lines(Round(a_run(), a_run(dropped=1))) == []
