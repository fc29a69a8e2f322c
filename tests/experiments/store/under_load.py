"""A process that can be killed: reads addresses, and for each lets a child write to it and say what is acknowledged.

The libraries are imported once, here; each child is a process of its own (a fork), with a store of its own.
"""

import asyncio
import os
import sys

from heatbath.experiments import Decision, Feedback, Store, new_id


async def write(store):
    async def one():
        while True:
            id = new_id()
            await store.decided(Decision(id, 1.0, "r", None, "fixed(1)", None, 1.0, 1.0, "adjustable", "c"))
            os.write(1, f"d {id}\n".encode())
            if await store.heard([Feedback(id, id, "liked", 1.0, 1.0)]) == [True]:
                os.write(1, f"f {id}\n".encode())

    await asyncio.gather(*(one() for _ in range(16)))


def main():
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            asyncio.run(write(Store.open(line.strip())))
        os.write(1, f"pid {child}\n".encode())
        os.waitpid(child, 0)
        os.write(1, b"over\n")


if __name__ == "__main__":
    main()
