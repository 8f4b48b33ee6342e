#!/usr/bin/env python3
"""Every kind of notifier against a stand-in that knows the wire format: told of a fire and of its
end, once each and in order; a chain whose first step is down; a dead letter; secrets stay secret."""
import json
import os
import re
import stat

import common
import notify_standins as standins
import test_alerts

PD_KEY, OG_KEY = "0123456789abcdef0123456789abcdef", "og-key-7f3a"
SMTP_PASSWORD, NTFY_TOKEN = "mail-password-99", "tk_ntfy_token_5"
SECRETS = [PD_KEY, OG_KEY, SMTP_PASSWORD, NTFY_TOKEN, "verysecretpart"]

SIREN = """#!/bin/sh
# One line an event: key, kind, and what came on standard input.
printf '%s %s %s\\n' "$NINES_KEY" "$NINES_KIND" "$(cat)" >> "$1"
env > "$1.env"
"""


def configuration(folder, services, siren):
    pager, second, ops, slack, ntfy, hook, mail, smtps, refusing = services
    for name, text in (("pd", PD_KEY), ("og", OG_KEY), ("mail", SMTP_PASSWORD),
                       ("slack", slack.url(slack.PATH))):
        common.write(f"{folder}/{name}.key", text + "\n")
    return f"""
webhooks:
  - {{name: hook, url: "{hook.url('/hook')}"}}
notifiers:
  - {{name: ops-pagerduty, kind: pagerduty, url: "{pager.url('/v2/enqueue')}", secret_file: pd.key,
      link: "https://nines.example.org/"}}
  - {{name: siren, kind: exec, program: {siren}, arguments: [{folder}/siren.txt]}}
  - {{name: second-pagerduty, kind: pagerduty, url: "{second.url('/v2/enqueue')}", secret_file: pd.key}}
  - {{name: genie, kind: opsgenie, url: "{ops.url()}", secret_file: og.key}}
  - {{name: chat, kind: slack, secret_file: slack.key}}
  - {{name: phone, kind: ntfy, url: "{ntfy.url('/pages')}", secret_env: NINES_TEST_NTFY}}
  - {{name: mail, kind: email, url: "smtp://127.0.0.1:{mail.port}", user: nines, secret_file: mail.key,
      from: nines@example.org, to: [a@example.org, b@example.org], ca_file: mail.pem}}
  - {{name: mail-implicit, kind: email, url: "smtps://127.0.0.1:{smtps.port}", user: nines,
      secret_file: mail.key, from: nines@example.org, to: ops@example.org, ca_file: mail.pem}}
  - {{name: mail-unverified, kind: email, url: "smtp://127.0.0.1:{mail.port}", user: nines,
      secret_file: mail.key, from: nines@example.org, to: ops@example.org}}
  - {{name: refusing, kind: pagerduty, url: "{refusing.url('/v2/enqueue')}", secret_file: pd.key}}
  - {{name: tickets, kind: webhook, url: "{hook.url('/tickets')}", severities: [ticket]}}
chains:
  - {{name: on-call, steps: [{{notify: ops-pagerduty, within: 2s}}, {{notify: siren}}]}}
"""


def sirens(folder):
    try:
        with open(f"{folder}/siren.txt") as f:
            return [line.split(" ", 2) for line in f.read().splitlines()]
    except FileNotFoundError:
        return []


def outbox(port):
    status, body = common.get(port, "/api/outbox")
    return json.loads(body) if status == 200 else {"notifiers": [], "dead_letters": []}


def sent(port):
    return {n["name"]: n["sent"] for n in outbox(port)["notifiers"]}


def check_outage(checks, folder, port, services):
    """The first step of the chain is down: it fires, the second step tells it; it comes back."""
    pager, second, ops, slack, ntfy, hook, mail, smtps, refusing = services
    waiting = {"hook", "second-pagerduty", "genie", "chat", "phone", "mail", "mail-implicit"}
    common.wait_until(lambda: all(sent(port).get(n) == 1 for n in waiting), 60, "all are told")
    common.wait_until(lambda: sirens(folder), 30, "the second step of the chain")
    key, kind, body = sirens(folder)[0]
    checks.equal(kind, "fired", "siren")
    checks.equal(json.loads(body)["sequence"], 1, "input of the siren")
    checks.equal(key, hook.events[0][0], "the same key everywhere")
    with open(f"{folder}/siren.txt.env") as f:
        names = {line.split("=")[0] for line in f if "=" in line}
    checks.that(not {n for n in names if n.startswith("NINES_TEST") or n == "HOME"}, f"{names}")
    checks.equal(pager.triggers, [], "the first step was down")
    pager.answer = None


def check_end(checks, folder, port, services):
    pager, second, ops, slack, ntfy, hook, mail, smtps, refusing = services
    waiting = {"hook", "second-pagerduty", "genie", "chat", "phone", "mail", "mail-implicit", "siren"}
    common.wait_until(lambda: all(sent(port).get(n) == 2 for n in waiting), 120, "the end is told")
    checks.equal([s[1] for s in sirens(folder)], ["fired", "resolved"], "siren")
    checks.equal((pager.triggers, pager.resolves), ([], []), "told by the siren, not by the pager")
    dedup = "nines/test/web-service/web/quick"
    checks.equal((second.triggers, second.resolves, second.open), ([dedup], [dedup], set()), "PagerDuty")
    checks.equal((ops.created, ops.closed, ops.open), ([dedup], [dedup], {}), "Opsgenie")
    checks.equal(len(slack.texts), 2, "Slack")
    checks.that("Resolved" in slack.texts[1], slack.texts[1])
    checks.equal([m["priority"] for m in ntfy.messages][1], 3, "an end does not ring")
    checks.that(ntfy.messages[0]["priority"] >= 4, "a page rings")
    checks.equal([e["kind"] for _, e in hook.events], ["fired", "resolved"], "webhook; no tickets")
    checks.equal((len(mail.mails), len(smtps.mails)), (2, 2), "mails")
    unverified = next(n for n in outbox(port)["notifiers"] if n["name"] == "mail-unverified")
    checks.that("certificate verify failed" in unverified["last_error"], unverified)
    for m in mail.mails:
        standins.check_mail(checks, m, ["a@example.org", "b@example.org"])
    first, last = mail.mails[0][1], mail.mails[1][1]
    checks.equal((last["In-Reply-To"], last["References"]), (first["Message-ID"],) * 2, "thread")
    checks.that("events bad" in first.get_content(), first.get_content())


def check_dead_letters(checks, port, refusing):
    letters = outbox(port)["dead_letters"]
    checks.equal([(d["notifier"], d["status"]) for d in letters], [("refusing", 400)] * 2, "dead")
    checks.that("refused" in letters[0]["reason"], letters[0]["reason"])
    checks.equal(json.loads(letters[1]["message"])["kind"], "fired", "what was to be told")
    _, metrics = common.get(port, "/metrics")
    found = re.search(rb'nines_notifier_total\{notifier="refusing",kind="pagerduty",outcome="dead"\} (\d+)',
                      metrics)
    checks.equal(found and found[1], b"2", "the metric")
    return letters


def main():
    checks = common.Checks()
    folder = common.scratch("notifiers")
    os.environ["NINES_TEST_NTFY"] = NTFY_TOKEN
    log, port = f"{folder}/access.log", common.free_port()
    certificate = standins.make_certificate(folder)
    services = (standins.PagerDuty(PD_KEY), standins.PagerDuty(PD_KEY), standins.Opsgenie(OG_KEY),
                standins.Slack(), standins.Ntfy(NTFY_TOKEN), standins.Webhook(),
                standins.Smtp("nines", SMTP_PASSWORD, certificate),
                standins.Smtp("nines", SMTP_PASSWORD, certificate, implicit=True),
                standins.PagerDuty(PD_KEY))
    services[0].answer, services[-1].answer = 503, 400
    siren = common.write(f"{folder}/siren", SIREN)
    os.chmod(siren, stat.S_IRWXU)
    slo = common.ratio_slo("web", f'paths: ["{log}"], format: nginx', "status < 500", "", "0.9", "1h")
    common.write(f"{folder}/slos/web.yaml", slo + test_alerts.POLICY)
    config = common.write(f"{folder}/nines.yaml", common.node_yaml(
        port, configuration(folder, services, siren)))
    writer = common.AccessLog(log)
    writer.start()
    start = lambda: common.Agent(config, f"{folder}/state", port, log=f"{folder}/agent.log")
    try:
        with start() as agent:
            common.wait_until(lambda: agent.slos().get("web", {}).get("total", 0) > 0, 20, "lines")
            writer.status = 503
            check_outage(checks, folder, port, services)
            writer.status = 200
            check_end(checks, folder, port, services)
            letters = check_dead_letters(checks, port, services[-1])
            told = b"".join(common.get(port, p)[1] for p in ("/metrics", "/api/outbox", "/api/status"))
            agent.wait_for_commits()
        with start():  # nothing is told again, the dead letters are still there
            common.wait_until(lambda: outbox(port)["notifiers"], 20, "the second life")
            checks.equal(outbox(port)["dead_letters"], letters, "dead letters after a restart")
            doctor = common.run(common.tool("NINES_BIN"), "doctor", "--config", config, "--state",
                                f"{folder}/state").stdout.decode()
            checks.that(re.search(r"warning +outbox +.*2 dead letter", doctor), doctor)
        for service in services:
            checks.equal(service.violations, [], type(service).__name__)
        told += test_alerts.read(f"{folder}/agent.log").encode()
        for secret in SECRETS:
            checks.that(secret.encode() not in told, f"{secret} is told in log, metrics or API")
    finally:
        writer.ending.set()
        writer.join()
        print(test_alerts.read(f"{folder}/agent.log")[-3000:] if checks.failures else "", end="")
    checks.finish()


if __name__ == "__main__":
    main()
