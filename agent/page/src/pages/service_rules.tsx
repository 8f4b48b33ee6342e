// Burn rates beside the marks above which somebody is called, and how long requests take.
import { useMemo } from 'preact/hooks';
import { useData } from '../data';
import { ms, seconds, times } from '../format';
import type { History, Rule, Slo, Target, Window } from '../model';
import { Chart, colour, type ChartSpec } from '../ui/chart';
import { Card, Nothing, Skeleton } from '../ui/parts';

function Gauge({ name, burn, factor }: { name: string; burn: number | null; factor: number }) {
  const most = factor * 1.5;
  const over = burn !== null && burn > factor;
  return (
    <div class={`gauge tone-${over ? 'bad' : burn !== null && burn > factor / 2 ? 'warn' : 'ok'}`}>
      <span class="dim">{name}</span>
      <span class="track">
        <span style={{ width: `${Math.min(1, (burn ?? 0) / most) * 100}%` }} />
        <i style={{ left: `${(factor / most) * 100}%` }} />
      </span>
      <span class="num n">{over ? <b>{times(burn)}</b> : times(burn)}</span>
    </div>
  );
}

/** The rules as the agent's arithmetic names them, for agents that do not list them. */
function rulesOf(explain: string): Rule[] {
  const found = explain.matchAll(
    /^ {2}(\S+) \((\w+), P\d\), factor ([\d.]+)\n {4}(\S+) +\[[^\n]*\n[^\n]*\n {4}(\S+) +\[/gm,
  );
  return [...found].map(([, name, severity, factor, long, short]) => ({
    name: name!,
    severity: severity!,
    kind: 'burn',
    factor: Number(factor),
    long_window: long!,
    short_window: short!,
  }));
}

export function Rules({
  s,
  target,
  explain,
}: {
  s: Slo;
  target: Target | undefined;
  explain: string | undefined;
}) {
  const rules = target?.rules ?? (explain ? rulesOf(explain) : []);
  const burn = (w: string): Window | undefined =>
    s.windows[w] ?? Object.entries(s.windows).find(([name]) => seconds(name) === seconds(w))?.[1];
  return (
    <Card
      title="Burn rates and what would page"
      more="a rule fires when both windows pass its mark"
    >
      {rules
        .filter((r) => r.kind === 'burn')
        .map((r) => (
          <div class="rule" key={r.name}>
            <div>
              <b>{r.name}</b>
              <small class="block">
                {r.severity} above {r.factor}×
              </small>
            </div>
            <div class="gauges">
              <Gauge
                name={r.long_window}
                burn={burn(r.long_window)?.burn_rate ?? null}
                factor={r.factor}
              />
              <Gauge
                name={r.short_window}
                burn={burn(r.short_window)?.burn_rate ?? null}
                factor={r.factor}
              />
            </div>
          </div>
        ))}
      {rules.length === 0 &&
        (explain === undefined ? (
          <Skeleton lines={6} />
        ) : (
          <Nothing>No burn rule watches it.</Nothing>
        ))}
    </Card>
  );
}

const shown = (v: number, unit: string | undefined) =>
  `${v >= 100 ? Math.round(v) : v.toFixed(1)} ${unit ?? ''}`;

function byHour(s: Slo, hours: History['latency'], limit: number | null): ChartSpec {
  const x: number[] = [];
  const rows: (History['latency'][number] | null)[] = [];
  for (const one of hours) {
    const at = ms(one.at) / 1000;
    // An hour without a value is a gap, not a line from the one before to the one after.
    for (let gap = (x.at(-1) ?? at) + 3600; gap < at; gap += 3600) {
      x.push(gap);
      rows.push(null);
    }
    x.push(at);
    rows.push(one);
  }
  const line = (label: 'p50' | 'p95' | 'p99', name: string, dash: number[]) => ({
    label,
    values: rows.map((row) => (row ? row[label] : null)),
    colour: colour(name),
    dash,
    dots: true,
    show: (v: number) => shown(v, s.unit),
  });
  const slowest = Math.max(...hours.map((one) => one.p99));
  return {
    label: `Latency of ${s.slo} by the hour, ${hours.length} hours: slowest p99 ${shown(slowest, s.unit)}`,
    x,
    height: 160,
    lines: [line('p99', 'bad', []), line('p95', 'warn', [6, 3]), line('p50', 'accent', [2, 3])],
    levels: limit === null ? [] : [{ at: limit, text: `good up to ${limit}`, colour: colour('dim') }],
    range: () => [0, Math.max(slowest, limit ?? 0) * 1.15],
    axis: (v) => shown(v, s.unit),
  };
}

export function Latency({ s, target }: { s: Slo; target: Target | undefined }) {
  const limit = target?.threshold ?? null;
  const known = s.p50 !== undefined;
  const history = useData<History>(
    known ? `/api/slo/${encodeURIComponent(s.slo)}/history?span=24h` : null,
    60_000,
  );
  const hours = history.data?.latency ?? [];
  const chart = useMemo(
    () => (hours.length > 1 ? byHour(s, hours, limit) : undefined),
    [history.data, limit],
  );
  if (!known) return null;
  const all: [string, number | null | undefined][] = [
    ['p50', s.p50],
    ['p95', s.p95],
    ['p99', s.p99],
  ];
  const most = Math.max(1, limit ?? 0, ...all.map(([, v]) => v ?? 0)) * 1.05;
  return (
    <Card
      title="Latency"
      more={limit !== null ? `good up to ${limit} ${s.unit ?? ''}` : `over ${s.window}`}
    >
      <div class="gauges quantiles">
        {all.map(([name, v]) => (
          <div
            class={`gauge tone-${limit !== null && (v ?? 0) > limit ? 'warn' : 'info'}`}
            key={name}
          >
            <span class="dim">{name}</span>
            <span class="track">
              <span style={{ width: `${((v ?? 0) / most) * 100}%` }} />
              {limit !== null && <i style={{ left: `${(limit / most) * 100}%` }} />}
            </span>
            <span class="num n">
              {v === null || v === undefined ? '–' : shown(v, s.unit)}
            </span>
          </div>
        ))}
      </div>
      {chart && <Chart spec={chart} />}
    </Card>
  );
}
