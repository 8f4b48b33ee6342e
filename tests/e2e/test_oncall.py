#!/usr/bin/env python3
"""nines oncall and nines kb: the commands answer from files alone, with the exit codes that scripts
rely on, and say where a document or a calendar is wrong."""
import json
import os
import subprocess

import common

ONCALL = """
people:
  - {id: anna, time_zone: Europe/Berlin, notify: [phone-anna], skills: [checkout]}
  - {id: ben, time_zone: Europe/Berlin, quiet: [{from: "22:00", to: "07:00"}]}
  - {id: carla}
schedules:
  - name: primary
    time_zone: Europe/Berlin
    layers:
      - {rotation: weekly, start: "2026-01-05 09:00", people: [anna, ben]}
  - name: calendar
    layers:
      - {calendar: team.ics, names: {"Carla C.": carla}}
policies:
  - {name: all, levels: [{schedule: primary}, {people: [carla]}, {people: [anna, ben]}]}
"""

CALENDAR = """BEGIN:VCALENDAR\r
VERSION:2.0\r
BEGIN:VEVENT\r
UID:1\r
SUMMARY:Carla C.\r
DTSTART;TZID=Europe/Berlin:20260323T090000\r
DTEND;TZID=Europe/Berlin:20260330T090000\r
RRULE:FREQ=WEEKLY;INTERVAL=2\r
END:VEVENT\r
END:VCALENDAR\r
"""


def nines(*arguments):
    return subprocess.run([common.tool("NINES_BIN"), *arguments], capture_output=True, text=True,
                          timeout=60, check=False)


def write(path, text):
    with open(path, "w", encoding="utf-8", newline="") as f:
        f.write(text)
    return path


def check_oncall(checks, folder):
    write(os.path.join(folder, "team.ics"), CALENDAR)
    write(os.path.join(folder, "oncall.yaml"), ONCALL)
    config = write(os.path.join(folder, "nines.yaml"), "oncall: {file: oncall.yaml}\n"
                   "webhooks: [{name: phone-anna, url: \"http://127.0.0.1:1/\"}]\n")
    base = ["--config", config, "--state", folder]

    def ask(verb, *arguments, code=0):
        done = nines("oncall", verb, *base, "-o", "json", *arguments)
        checks.equal(done.returncode, code, f"{verb} {arguments}: exit code ({done.stderr})")
        return json.loads(done.stdout)

    who = ask("who", "--at", "2026-03-23T08:30:00Z")
    checks.equal([(w["schedule"], w["person"], w["until"]) for w in who],
                 [("primary", "ben", "2026-03-30T07:00:00Z"),
                  ("calendar", "carla", "2026-03-30T07:00:00Z")], "who, over the change of clocks")
    gap = ask("who", "--schedule", "calendar", "--at", "2026-03-31T12:00:00Z", code=1)
    checks.equal((gap[0]["person"], gap[0]["why"]), (None, "nobody: a gap"), "a gap")
    shifts = ask("shifts", "--schedule", "primary", "--from", "2026-03-20", "--to", "2026-04-10")
    checks.equal([s["person"] for s in shifts], ["anna", "ben", "anna", "ben"], "shifts")

    pages = [{"at": f"2026-03-24T0{hour}:00:00Z", "person": "ben", "incident": f"I{hour}",
              "service": "checkout", "signature": "error_storm checkout", "by_itself": True,
              "over": f"2026-03-24T0{hour}:02:00Z"} for hour in (1, 2, 3, 9)]
    write(os.path.join(folder, "oncall-pages.ndjson"), "".join(json.dumps(p) + "\n" for p in pages))
    route = ["--service", "checkout", "--signature", "error_storm checkout"]
    tired = ask("route", *route, "--severity", "P1", "--at", "2026-03-24T10:00:00Z")
    checks.equal(tired["chain"][0]["person"], "carla", "whoever is tired is not paged first")
    for one in tired["candidates"]:
        checks.equal(round(sum(t["cost"] for t in one["terms"]), 3), one["cost"], "terms add up")
    early = ask("route", *route, "--severity", "P1", "--at", "2026-03-23T12:00:00Z")
    checks.equal([s["at"] for s in early["chain"]],
                 ["2026-03-23T12:00:00Z", "2026-03-23T12:15:00Z", "2026-03-23T12:30:00Z"], "timers")
    checks.equal(early["chain"][0]["person"], "ben", "whoever is on call")
    digest = ask("route", *route, "--severity", "P3", "--at", "2026-03-27T18:00:00Z")
    checks.equal((digest["chain"], digest["digest"]), ([], "2026-03-30T09:00:00Z"), "P3")
    nobody = ask("route", *route, "--told", "anna", "ben", "carla", code=1)
    checks.equal(nobody["chain"], [], "everybody was told")
    text = nines("oncall", "route", *base, *route, "--explain", "--at", "2026-03-24T10:00:00Z").stdout
    for part in ("candidate ben", "fatigue", "fair share", "expert    anna"):
        checks.that(part in text, f"--explain has no {part!r}: {text}")

    report = ask("load", "--from", "2026-03-23", "--to", "2026-03-30")
    checks.equal((report["pages"], report["night_pages"]), (4, 3), "report")
    checks.equal(report["people"][0]["person"], "ben", "most pages first")
    checks.that("hold for longer" in report["noisy_rules"][0]["hint"], f"noisy: {report}")

    write(os.path.join(folder, "oncall.yaml"), ONCALL.replace("people: [carla]", "people: [karla]"))
    wrong = nines("oncall", "who", *base)
    checks.equal(wrong.returncode, 2, "a wrong document")
    checks.that("oncall.yaml:15:" in wrong.stderr and "did you mean 'carla'?" in wrong.stderr, wrong)
    none = nines("oncall", "who", "--config", write(os.path.join(folder, "empty.yaml"), "\n"))
    checks.that(none.returncode == 2 and "no on-call document" in none.stderr, str(none))


def check_import(checks, folder):
    path = write(os.path.join(folder, "import.ics"), CALENDAR)
    done = nines("oncall", "import", path, "--zone", "Europe/Berlin", "--person", "Carla C.=carla")
    checks.equal(done.returncode, 0, f"import ({done.stderr})")
    people = "people: [{id: carla}]\npolicies: [{name: a, levels: [{schedule: imported}]}]\n"
    document = write(os.path.join(folder, "imported.yaml"), people + done.stdout)
    who = nines("oncall", "who", "--file", document, "--at", "2026-03-24T00:00:00Z", "-o", "json")
    checks.equal(json.loads(who.stdout)[0]["person"], "carla", f"what is imported works: {who}")
    write(path, CALENDAR.replace("FREQ=WEEKLY", "FREQ=HOURLY"))
    wrong = nines("oncall", "import", path)
    checks.equal(wrong.returncode, 2, "an unsupported calendar")
    checks.that("import.ics:8:7: error: RRULE" in wrong.stderr, wrong.stderr)


def check_kb(checks, folder):
    books = os.path.join(folder, "runbooks", "deep")
    os.makedirs(books)
    write(os.path.join(books, "broker.md"),
          "---\nservice: broker\ntemplates: t17, t18\n---\n# Broker refuses connections\nRestart it.\n")
    disk = write(os.path.join(folder, "runbooks", "disk.md"), "# Disk full\nRotate the logs.\n")
    state = ["--state", os.path.join(folder, "kb-state")]
    added = nines("kb", "add", os.path.join(folder, "runbooks"), *state)
    checks.equal((added.returncode, added.stdout), (0, "2 added or changed, 0 as they were\n"), "add")
    again = nines("kb", "add", os.path.join(folder, "runbooks"), *state)
    checks.equal(again.stdout, "0 added or changed, 2 as they were\n", "add again")

    def search(*arguments):
        done = nines("kb", "search", *arguments, *state, "-o", "json")
        return [os.path.basename(one["id"]) for one in json.loads(done.stdout)]

    checks.equal(search("the disk is full"), ["disk.md"], "by words")
    checks.equal(search("disk", "--template", "t17"), ["broker.md", "disk.md"], "templates first")
    checks.equal(search("--service", "broker"), ["broker.md"], "by service")
    checks.equal(nines("kb", "search", "zebra", *state).returncode, 1, "nothing found")
    checks.equal(nines("kb", "remove", disk, *state).returncode, 0, "remove")
    checks.equal(nines("kb", "remove", disk, *state).returncode, 1, "remove again")
    checks.equal(search("disk"), [], "removed")


def main():
    checks = common.Checks()
    folder = common.scratch("oncall")
    check_oncall(checks, folder)
    check_import(checks, folder)
    check_kb(checks, folder)
    checks.finish()


if __name__ == "__main__":
    main()
