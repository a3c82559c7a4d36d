"""Serves `plain` of flows3.py as `plain/served`."""

from flows3 import plain

if __name__ == "__main__":
    plain.serve(name="served")
