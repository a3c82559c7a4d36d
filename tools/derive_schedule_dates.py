"""Derives tests/data/schedule_dates.txt: 200 schedules and the first 20 dates that the reference makes of each.

    python -m venv v && v/bin/pip install prefect==3.8.8        # Python 3.13: other ones give other dates
    v/bin/python tools/derive_schedule_dates.py > tests/data/schedule_dates.txt

One schedule a line, tab-separated: the schedule as JSON, the start, and the dates, in seconds since the epoch.
"""
import asyncio
import json
from datetime import datetime, timezone

from prefect.server.schemas.schedules import CronSchedule, IntervalSchedule, RRuleSchedule

ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/Sao_Paulo", "UTC"]
# In the middle of nowhere, and shortly before clocks change in Berlin, in New York, and at Lord Howe.
STARTS = ["2026-11-24T12:00:00Z", "2026-03-26T10:20:30Z", "2026-10-22T07:00:00Z", "2027-03-12T00:00:00Z"]
CRONS = [
    "0 9 * * *", "30 2 * * *", "*/15 * * * *", "0 */6 * * *", "5 4 * * sun", "0 0 1 * *", "0 22 * * 1-5",
    "15 14 1 * *", "0 0 1,15 * 3", "59 23 31 12 *", "@daily", "@hourly", "@weekly", "0 12 * * 1,3,5",
    "10-20/5 8 * * *", "0 0 29 2 *", "0 8-18/2 * * *", "45 1 * * *",
]
INTERVALS = [60, 90, 300, 900, 1800, 3600, 5400, 7200, 21600, 43200, 86400, 172800, 604800, 2592000]
RRULES = [
    "FREQ=DAILY", "FREQ=DAILY;BYHOUR=9;BYMINUTE=30", "FREQ=WEEKLY;BYDAY=MO", "FREQ=WEEKLY;BYDAY=MO,WE,FR;BYHOUR=6",
    "FREQ=MONTHLY;BYMONTHDAY=1", "FREQ=MONTHLY;BYDAY=-1FR", "FREQ=MONTHLY;BYDAY=2TU;BYHOUR=22", "FREQ=YEARLY",
    "FREQ=HOURLY", "FREQ=HOURLY;INTERVAL=6", "FREQ=DAILY;INTERVAL=3", "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU",
    "DTSTART:20260101T020000\nRRULE:FREQ=DAILY;COUNT=400", "DTSTART:20260301T083000\nFREQ=WEEKLY;BYDAY=TU,TH",
    "FREQ=MONTHLY;BYMONTHDAY=-1", "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR;BYHOUR=17",
]


def schedules():
    """Every kind in every zone, the starts in turn; 200 of them."""
    rules = [("cron", each) for each in CRONS] + [("interval", each) for each in INTERVALS]
    rules += [("rrule", each) for each in RRULES]
    made = 0
    for number, zone in enumerate(ZONES):
        for at, (kind, rule) in enumerate(rules):
            if (at + number) % 3 == 2 and kind != "cron":
                continue
            yield kind, rule, zone, STARTS[(at + number) % len(STARTS)]
            made += 1
            if made == 200:
                return


def build(kind, rule, zone, start):
    if kind == "cron":
        return CronSchedule(cron=rule, timezone=zone)
    if kind == "interval":
        anchor = start.replace(minute=10, second=0)
        return IntervalSchedule(interval=rule, anchor_date=anchor, timezone=zone)
    return RRuleSchedule(rrule=rule, timezone=zone)


async def main():
    for kind, rule, zone, text in schedules():
        start = datetime.fromisoformat(text.replace("Z", "+00:00"))
        schedule = build(kind, rule, zone, start)
        dates = await schedule.get_dates(20, start=start)
        seconds = [int(date.astimezone(timezone.utc).timestamp()) for date in dates]
        shown = schedule.model_dump(mode="json", exclude_none=True)
        print(json.dumps(shown), int(start.timestamp()), *seconds, sep="\t")


asyncio.run(main())
