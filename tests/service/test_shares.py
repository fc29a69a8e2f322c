"""The rule of fairness, played through without a model: a row that runs gets one token a turn."""

from dataclasses import dataclass

from heatbath.service.shares import QUANTUM, Shares, Ticket


@dataclass(eq=False)
class Row:
    ticket: Ticket
    left: int
    fresh: bool = True
    tokens: int = 0


class World:
    def __init__(self, max_rows: int) -> None:
        self.shares: Shares[Row] = Shares(max_rows)

    def add(self, *lengths: int) -> list[Row]:
        """A request for several texts of these lengths."""
        ticket = self.shares.ticket()
        rows = [Row(ticket, length) for length in lengths]
        self.shares.add(rows)
        return rows

    def turn(self) -> tuple[Row, ...]:
        running = tuple(self.shares.arrange())
        assert len(running) <= self.shares.max_rows
        assert sum(row.fresh for row in running) <= 1, "one prompt a turn"
        for row in running:
            row.fresh = False
            row.tokens += 1
            row.left -= 1
        self.shares.count(running)
        for row in running:
            if not row.left:
                self.shares.remove(row)
        return running

    def until(self, done, most: int) -> int:
        for turns in range(most):
            if done():
                return turns
            self.turn()
        raise AssertionError(f"not done after {most} turns")


def test_one_request_alone_fills_every_row():
    world = World(4)
    world.add(*[100] * 4)
    for _ in range(4):
        world.turn()
    assert len(world.turn()) == 4


def test_a_short_request_overtakes_long_ones():
    world = World(2)
    first, second = (world.add(1000)[0] for _ in range(2))
    for _ in range(100):
        world.turn()
    (short,) = world.add(5)
    turns = world.until(lambda: not short.left, 100)
    assert turns <= QUANTUM + 5 + 2
    assert first.left + second.left > 1700


def test_many_texts_of_one_request_leave_room_for_another():
    world = World(4)
    many = world.add(*[1000] * 16)
    for _ in range(50):
        world.turn()
    (single,) = world.add(20)
    assert world.until(lambda: not single.left, 100) <= QUANTUM // 4 + 20, "four rows are soon a quantum ahead"
    assert sum(row.tokens for row in many) > 0


def test_requests_that_go_on_get_equal_shares_whatever_they_ask_for():
    world = World(4)
    requests = [world.add(*[10_000] * n) for n in (1, 2, 8, 16)]
    for _ in range(2000):
        world.turn()
    served = [sum(row.tokens for row in rows) for rows in requests]
    assert sum(served) == 4 * 2000 - sum(range(4)), "no row was idle once all had entered"
    assert max(served) - min(served) <= 3 * QUANTUM


def test_endless_short_requests_do_not_starve_a_long_one():
    world = World(2)
    (long,) = world.add(200)
    shorts = [world.add(4)[0] for _ in range(6)]
    for _ in range(4000):
        shorts = [short if short.left else world.add(4)[0] for short in shorts]
        world.turn()
        if not long.left:
            return
    raise AssertionError(f"the long request has {long.tokens} tokens of 200")


def test_those_who_wait_come_in_their_order():
    world = World(1)
    rows = [world.add(1)[0] for _ in range(5)]
    order = [world.turn()[0] for _ in range(5)]
    assert order == rows


def test_a_row_that_is_removed_leaves_at_once():
    world = World(1)
    (running,), (waiting,) = world.add(10), world.add(10)
    world.turn()
    world.shares.remove(running)
    world.shares.remove(waiting)
    assert world.turn() == ()
