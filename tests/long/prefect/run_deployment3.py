"""Runs the deployment that is named and waits for the end of the run."""

import sys

from prefect.deployments import run_deployment

if __name__ == "__main__":
    run = run_deployment(sys.argv[1], parameters={"name": "served"}, timeout=90, poll_interval=1)
    print(f"ended as {run.state.name}")
