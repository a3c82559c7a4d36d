"""Flows for Prefect 3. Run with names of flows: prints the name and the final state of each."""

import sys
import time

from prefect import flow, task
from prefect.flow_runs import pause_flow_run

attempts = {"flaky": 0, "retried": 0}


@task
def add(a, b):
    return a + b


@task(tags=["heavy"])
def tagged():
    return 1


@task(retries=1)
def flaky():
    attempts["flaky"] += 1
    if attempts["flaky"] == 1:
        raise ValueError("once")
    return 2


@flow(log_prints=True)
def plain(name: str = "world"):
    print(f"hello {name}")
    return add(1, 2) + tagged() + flaky()


@flow(retries=2, retry_delay_seconds=0)
def retried():
    attempts["retried"] += 1
    if attempts["retried"] < 3:
        raise ValueError("again")


@flow
def failing():
    raise ValueError("no luck")


@flow
def child(x: int):
    return x + 1


@flow
def parent():
    return child(1)


@flow
def paused():
    pause_flow_run(timeout=120, poll_interval=1)


@flow
def sleepy():
    time.sleep(300)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(f"{name}: {globals()[name](return_state=True).name}")
