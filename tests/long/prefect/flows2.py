"""Flows for Prefect 2.20, without tasks. Run with names of flows: prints the name and the final state of each."""

import sys
import time

from prefect import flow, task

attempts = {"retried": 0}


@flow(log_prints=True)
def plain(name: str = "world"):
    print(f"hello {name}")
    return 1


@flow(retries=2, retry_delay_seconds=0)
def retried():
    attempts["retried"] += 1
    if attempts["retried"] < 3:
        raise ValueError("again")


@flow
def failing():
    raise ValueError("no luck")


@task
def add(a, b):
    return a + b


@flow
def with_task():
    return add(1, 2)


@flow
def sleepy():
    time.sleep(300)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(f"{name}: {globals()[name](return_state=True).name}", flush=True)
