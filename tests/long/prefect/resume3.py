"""Resumes the flow run with the id that is given."""

import sys

from prefect.flow_runs import resume_flow_run

if __name__ == "__main__":
    resume_flow_run(sys.argv[1])
