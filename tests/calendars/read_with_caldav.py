"""Print the entries of a calendar as the client of the package `caldav` reads them.

Usage: `read_with_caldav.py URL USERNAME PASSWORD`, by the Python of tests/readers.
"""

import json
import sys

import caldav

url, username, password = sys.argv[1:]
found = []
with caldav.DAVClient(url, username=username, password=password) as client:
    for each in client.calendar(url=url).events():
        (entry,) = each.icalendar_instance.events
        times = (entry.start.isoformat(), entry.end.isoformat())
        found.append([str(entry["UID"]), *times, str(entry["SUMMARY"])])
json.dump(sorted(found), sys.stdout)
