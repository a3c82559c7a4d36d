"""Deploys `plain` and `sleepy` of flows3.py to the pool that is named."""

import sys
from pathlib import Path

from prefect import flow

if __name__ == "__main__":
    for name in ("plain", "sleepy"):
        flow.from_source(source=str(Path(__file__).parent), entrypoint=f"flows3.py:{name}").deploy(
            name="d", work_pool_name=sys.argv[1], build=False, push=False, ignore_warnings=True
        )
