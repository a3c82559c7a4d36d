"""Deploys `plain` and `sleepy` of flows2.py to a pool for agents and to one for workers, without any block."""

import asyncio
import sys
from pathlib import Path

from flows2 import plain, sleepy
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.utilities.callables import parameter_schema

FOLDER = str(Path(__file__).parent)


async def deploy_to_agents(pool):
    async with get_client() as client:
        for one in (plain, sleepy):
            await client.create_deployment(
                flow_id=await client.create_flow(one),
                name="for-agents",
                work_pool_name=pool,
                path=FOLDER,
                entrypoint=f"flows2.py:{one.fn.__name__}",
                parameter_openapi_schema=parameter_schema(one).dict(),
            )


def deploy_to_workers(pool):
    for name in ("plain", "sleepy"):
        flow.from_source(source=FOLDER, entrypoint=f"flows2.py:{name}").deploy(
            name="for-workers", work_pool_name=pool, build=False, push=False, print_next_steps=False
        )


if __name__ == "__main__":
    asyncio.run(deploy_to_agents(sys.argv[1]))
    deploy_to_workers(sys.argv[2])
