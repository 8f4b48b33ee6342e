"""One scenario for each format, in the shape that its program writes it, and what is not of it."""
from model import *  # noqa: F401,F403
from model import Scenario

CLF = at("%d/%b/%Y:%H:%M:%S +0000")
CLF_CET = at("%d/%b/%Y:%H:%M:%S +0100", zone_s=3600)
NGINX_CUSTOM = ('$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
                'rt=$request_time ua="$http_user_agent"')


def scenario(name, text, *records, fmt=None, **more):
    more.setdefault("ids", ("L13",))
    return Scenario(f"{name}", steps=[write("app.log", "\n".join(text) + "\n"), look(*records)],
                    format=fmt or "auto", **more)


def times(name, stamp, printed):
    return scenario(f"time stamp: {name}", [f"{stamp} first words", f"{stamp} bad words"],
                    Record(ts=printed), Record(ts=printed, bad=True), ids=("L11",))


SCENARIOS = [
    scenario("nginx combined", [
        f'10.0.0.1 - ada [{CLF}] "GET /a?b=1 HTTP/1.1" 200 12 "-" "curl/8"',
        f'::1 - - [{CLF_CET}] "POST /bad HTTP/2.0" 503 0 "http://x/" "a \\"b\\""'],
        Record(ts=ts(), remote_addr="10.0.0.1", method="GET", path="/a?b=1", status=200, bytes=12),
        Record(ts=ts(), remote_addr="::1", method="POST", status=503, bad=True),
        good="status < 500"),
    scenario("common log format", [f'h - - [{CLF}] "GET / HTTP/1.0" 404 -'],
             Record(ts=ts(), status=404), fmt="common"),
    scenario("combined with a request time", [
        f'10.0.0.1 - - [{CLF}] "GET / HTTP/1.1" 200 12 "-" "x" 0.000',
        f'10.0.0.1 - - [{CLF}] "GET /bad HTTP/1.1" 200 12 "-" "x" 2.500'],
        Record(duration_ms=0), Record(duration_ms=2500, path="/bad"), good="duration_ms < 1000"),
    scenario("any nginx log_format", [
        f'10.0.0.1 - - [{CLF}] "GET /x HTTP/1.1" 200 7 rt=0.250 ua="curl"',
        f'10.0.0.1 - - [{CLF}] "GET /bad HTTP/1.1" 502 7 rt=1.5 ua="a b"'],
        Record(ts=ts(), status=200, duration_ms=250, user_agent="curl"),
        Record(ts=ts(), status=502, path="/bad"), fmt="nginx", pattern=NGINX_CUSTOM, good="status < 500"),
    scenario("Apache LogFormat", [f'www:443 10.0.0.1 {CLF.join("[]")} "GET /a HTTP/1.1" 200 512'],
             Record(ts=ts(), remote_addr="10.0.0.1", status=200), fmt="apache",
             pattern='%v:%p %h %t "%r" %>s %O'),
    scenario("JSON: nested, escaped, numbers as text", [
        f'{{"time":"{ts()}","level":"info","msg":"a \\"b\\" \\u20ac","status":200,"http":{{"route":"/x"}}}}',
        f'{{"time":"{ts()}","level":"error","msg":"bad","status":"503"}}'],
        Record(ts=ts(), level="INFO", message='a "b" \u20ac', status=200, **{"http.route": "/x"}),
        Record(ts=ts(), level="ERROR", message="bad"), good="status < 500"),
    scenario("JSON: big integers and duplicate keys", [
        f'{{"time":"{ts()}","msg":"a","n":9007199254740993,"k":1,"k":2}}'],
        Record(n=9007199254740993, message="a"), fmt="json"),
    scenario("JSON: a line that is none is malformed", [
        f'{{"time":"{ts()}","msg":"a"}}', f'{{"time":"{ts()}","msg":"b"}}', "not json at all",
        f'{{"time":"{ts()}","msg":"c"}}'],
        "a", "b", malformed("not json at all"), "c", fmt="json"),
    *[scenario(f"JSON: epoch in {unit}", [f'{{"ts":{BASE * factor},"msg":"a"}}'], Record(ts=ts(), message="a"),
               fmt="json") for unit, factor in (("s", 1), ("ms", 1000), ("us", 10**6), ("ns", 10**9))],
    scenario("logfmt", [
        f'time="{ts()}" level=warn msg="a b" status=200 took=1.5', f'ts={ts()} level=error msg=bad status=500'],
        Record(ts=ts(), level="WARN", message="a b", status="200"),
        Record(ts=ts(), level="ERROR", message="bad"), good="status < 500"),
    scenario("CSV with a header line", ["time,status,path", f'{ts()},200,"/a,b"', f"{ts()},500,/bad"],
             Record(ts=ts(), status=200, path="/a,b"), Record(status=500, path="/bad"),
             good="status < 500"),
    scenario("CSV with the header in the configuration", [f'{ts()},200,"/a ""b"""', f"{ts()},500,/bad"],
             Record(ts=ts(), status=200, path='/a "b"'), Record(status=500, path="/bad"), fmt="csv",
             pattern="time,status,path", good="status < 500"),
    scenario("TSV", ["time\tstatus\tpath", f"{ts()}\t200\t/a b", f"{ts()}\t500\t/bad"],
             Record(ts=ts(), status=200, path="/a b"), Record(status=500, path="/bad"),
             good="status < 500"),
    scenario("syslog RFC 3164", [
        f'<30>{at("%b %e %H:%M:%S")} host1 openvpn[2499]: PTHREAD support',
        f'<27>{at("%b %e %H:%M:%S")} host1 openvpn[2499]: bad thing'],
        Record(ts=ts(), message="PTHREAD support"), Record(ts=ts(), message="bad thing"), fmt="syslog",
        ids=("L11",)),
    scenario("syslog RFC 5424 with structured data", [
        f'<165>1 {ts(".003")} 192.0.2.1 app 8710 ID47 [a@32473 iut="3" q="\\"x\\\\y\\]"] one',
        f"<163>1 {ts('.003')} ::1 app - - - bad one", f"<163>1 {ts()} h app - - - \ufeffwith a mark"],
        Record(ts=ts(".003"), message="one"), Record(message="bad one", level="ERROR"),
        Record(ts=ts()), fmt="syslog", ids=("L11",)),
    scenario("syslog without a header", ["no header here"], malformed("no header here"),
             fmt="syslog", ids=("L11",)),
    scenario("klog", [
        f'I{at("%m%d %H:%M:%S")}.262484   12345 file.go:12] started',
        f'E{at("%m%d %H:%M:%S")}.000001 1 reflector.go:150] "bad" err="x"'],
        Record(ts=ts(".262484"), level="INFO", message="started"), Record(level="ERROR", bad=True), fmt="klog"),
    scenario("containerd and K3s", [
        f'time="{ts()}" level=info msg="Starting k3s"',
        f'W{at("%m%d %H:%M:%S")}.000001 1 a.go:1] bad sign'],
        Record(ts=ts(), level="INFO", message="Starting k3s"), Record(level="WARN", message="bad sign"),
        fmt="k3s"),
    scenario("containerd", [f'time="{ts(".123456789")}" level=error msg="bad container"'],
             Record(ts=ts(".123456789"), level="ERROR", message="bad container"), fmt="containerd"),
    scenario("Traefik", [
        f'192.0.2.1 - - [{CLF}] "GET /whoami HTTP/2.0" 200 414 "-" "-" 12 "whoami@docker" '
        '"http://172.18.0.3:80" 17ms',
        f'192.0.2.1 - - [{CLF}] "GET /bad HTTP/1.1" 502 19 "-" "-" 1 "-" "-" 0ms'],
        Record(ts=ts(), status=200, duration_ms=17), Record(status=502, path="/bad"), fmt="traefik",
        good="status < 500"),
    scenario("Envoy", [
        f'[{ts(".310")}] "POST /api/v1/locations HTTP/2" 204 - 154 0 226 100 "10.0.35.28" "nsq2http" '
        '"cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2" "locations" "tcp://10.0.2.1:80"'],
        Record(ts=ts(".310"), status=204, path="/api/v1/locations"), fmt="envoy"),
    scenario("HAProxy", [
        f'10.0.1.2:33317 [{at("%d/%b/%Y:%H:%M:%S")}.655] http-in static/srv1 10/0/30/69/109 200 2750 '
        '- - ---- 1/1/1/1/0 0/0 "GET /index.html HTTP/1.1"'],
        Record(ts=ts(".655"), status=200, path="/index.html"), fmt="haproxy"),
    scenario("PostgreSQL", [
        f'{at("%Y-%m-%d %H:%M:%S")}.262 UTC [12345] LOG:  duration: 12.345 ms  statement: SELECT 1',
        f'{at("%Y-%m-%d %H:%M:%S")}.262 UTC [12345] ERROR:  bad relation'],
        Record(ts=ts(".262"), level="INFO", duration_ms=12.345), Record(level="ERROR", message="bad relation"),
        fmt="postgres"),
    scenario("Redis", [
        f'1234:M {at("%d %b %Y %H:%M:%S")}.262 * Ready to accept connections',
        f'1234:M {at("%d %b %Y %H:%M:%S")}.262 # bad memory'],
        Record(ts=ts(".262"), level="INFO", message="Ready to accept connections"),
        Record(level="WARN", message="bad memory"), fmt="redis"),
    scenario("RabbitMQ", [
        f'{at("%Y-%m-%d %H:%M:%S")}.066793+00:00 [debug] <0.459.0> Plugins discovery',
        f'{at("%Y-%m-%d %H:%M:%S")}.066793+00:00 [error] <0.459.0> bad channel'],
        Record(ts=ts(".066793"), level="DEBUG", message="Plugins discovery"), Record(level="ERROR", bad=True),
        fmt="rabbitmq"),
    scenario("Python logging", [
        f'{at("%Y-%m-%d %H:%M:%S")},262 - shop.cart - INFO - added',
        f'{at("%Y-%m-%d %H:%M:%S")},262 - shop.cart - ERROR - bad item'],
        Record(ts=ts(".262"), level="INFO", message="added"), Record(level="ERROR", message="bad item"),
        fmt="python"),
    scenario("log4j pattern", [
        f'{at("%Y-%m-%d %H:%M:%S")},262 [main] INFO  com.x.Shop - added',
        f'{at("%Y-%m-%d %H:%M:%S")},262 [main] ERROR com.x.Shop - bad item'],
        Record(ts=ts(".262"), level="INFO", message="added"), Record(level="ERROR", message="bad item"),
        fmt="log4j", pattern="%d{yyyy-MM-dd HH:mm:ss,SSS} [%t] %-5p %c - %m%n"),
    scenario("custom RE2 with named groups", [f"{ts()}|E|bad", f"{ts()}|I|fine", "no such line"],
             Record(ts=ts(), message="bad"), 
             Record(f"{ts()}|I|fine\nno such line", ts=ts()),
             fmt="regex", pattern=r"^(?P<ts>[^|]+)\|(?P<severity>[EI])\|(?P<message>.*)$"),
    scenario("plain text with levels", [f"{S}ERROR bad disk", f"{S}INFO fine"],
             Record(ts=ts(), level="ERROR", message="bad disk"), Record(level="INFO", message="fine")),
    times("ISO 8601, zone", at("%Y-%m-%dT%H:%M:%S+02:00", zone_s=7200), ts()),
    times("ISO 8601, blank, comma, milliseconds", at("%Y-%m-%d %H:%M:%S") + ",125", ts(".125")),
    times("ISO 8601, nine digits", ts(".123456789"), ts(".123456789")),
    times("slashes", at("%Y/%m/%d %H:%M:%S"), ts()),
    times("syslog, no year", at("%b %e %H:%M:%S"), ts()),
    times("common log", f"[{CLF}]", ts()),
    scenario("time stamps missing and corrupt: the line counts at its neighbours' time", [
        f'{{"time":"{ts()}","msg":"a"}}', '{"msg":"none"}', '{"time":"2026-99-99T99:99:99Z","msg":"bad"}'],
        "a", "none", Record(message="bad", _error="bad_time"), fmt="json", ids=("L14",)),
    scenario("a journal export file", [
        "__CURSOR=s=1;i=1", f"__REALTIME_TIMESTAMP={BASE * 10**6}", "PRIORITY=6", "_SYSTEMD_UNIT=k3s.service",
        "MESSAGE=first", "", "__CURSOR=s=1;i=2", f"__REALTIME_TIMESTAMP={BASE * 10**6 + 250000}", "PRIORITY=3",
        "MESSAGE=bad second", ""],
        Record(ts=ts(), message="first", level="INFO"),
        Record(ts=ts(".250"), message="bad second", level="ERROR"), fmt="journal", ids=("L14",)),
    Scenario("a journal export file with a binary field of several lines", ids=("L14",), format="journal",
             steps=[
                 write("app.log", f"__CURSOR=s=1;i=1\n__REALTIME_TIMESTAMP={BASE * 10**6}\nMESSAGE\n".encode()
                       + (15).to_bytes(8, "little") + b"two\nlines\n\nhere"[:15] + b"\nPRIORITY=6\n\n"),
                 look(Record(message="two\nlines\n\nhere"))]),
]
