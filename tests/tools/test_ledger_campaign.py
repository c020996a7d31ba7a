"""The ledger's campaign holds on a few lines, and seeded defects turn it red."""

import json
import subprocess
import sys

import pytest

ARGS = ["--n", "40", "--seed", "4", "--json"]


def run(root, defect):
    code = (
        f"import sys; sys.path[:0] = ['tools/faults', 'tools/bench']; import ledger\n{defect}\nsys.exit(ledger.main())"
    )
    out = subprocess.run(
        [sys.executable, "-c", code, *ARGS], capture_output=True, text=True, cwd=root, timeout=100, check=False
    )
    assert out.returncode in (0, 1) and out.stdout, out.stderr
    return {bar["name"] for bar in json.loads(out.stdout)["holds"] if not bar["ok"]}, json.loads(out.stdout)["figures"]


def test_the_ledger_is_what_the_server_said_and_no_budget_is_passed(root):
    red, figures = run(root, "")
    assert red == set()
    assert set(figures["statuses"]) == {"completed", "cancelled", "failed", "incomplete"} and figures["told"]["cached"]


@pytest.mark.parametrize(
    ("defect", "says"),
    [
        (
            "from townsfolk.host import till\n"
            "bill = till.Purse.bill\n"
            "till.Purse.bill = lambda self, billed: billed.status == 'cancelled' or bill(self, billed)",
            "tokens by which",
        ),
        (
            "from townsfolk.budget import Budget, Ticket\n"
            "Budget.reserve = lambda self, player, now, money: Ticket(player, '', 0, now)",
            "requests over a budget of",
        ),
    ],
    ids=["cancelled responses are not booked", "what is on its way is not counted"],
)
def test_a_defect_turns_it_red(root, defect, says):
    red, _ = run(root, defect)
    assert any(name.startswith(says) for name in red), red
