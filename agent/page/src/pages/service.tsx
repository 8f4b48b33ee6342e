// One service: what it promised, how it stands, where that goes, and the arithmetic behind.
import { useMemo, useState } from 'preact/hooks';
import { useData } from '../data';
import { count, ms, percent, ratio, seconds, span, times } from '../format';
import type { Alert, Burn, Change, History, Rule, Slo, Target, Window } from '../model';
import { to } from '../router';
import { Budget, toneOfBudget } from '../ui/budget';
import { Chart, colour, type ChartSpec } from '../ui/chart';
import { Mark, ReleaseMark, Shape, StateMark, Time, toneOfRisk } from '../ui/marks';
import { Await, Card, Fact, Nothing, Skeleton } from '../ui/parts';
import { ask } from '../ui/write';
import { refresh } from '../data';

type Point = Slo['forecast']['projected'][number];
interface Step { at: number; good: number; bad: number; left: number | null }
interface Past { steps: Step[]; stepS: number; to: number; annotations: Change[] }

function pastOfBurn(burn: Burn, slo: string): Past | undefined {
  const found = burn.series.find((s) => s.slo === slo);
  return found && { to: ms(burn.to) / 1000, stepS: seconds(burn.step), annotations: found.annotations,
    steps: found.points.map((p) => ({ at: ms(p.at) / 1000, good: p.good, bad: p.bad, left: p.error_budget_remaining })) };
}

/** From the events alone: what this window's bad events have used of the budget, step by step. */
function pastOfHistory(history: History, s: Slo): Past {
  let bad = 0;
  const allowed = s.total * (1 - (s.target ?? 1));
  const steps = history.points.map((p) => {
    bad += p.bad;
    return { at: ms(p.at) / 1000, good: p.good, bad: p.bad, left: allowed > 0 ? 1 - bad / allowed : null };
  });
  return { steps, stepS: seconds(history.step), to: ms(history.to) / 1000, annotations: history.annotations };
}

function usePast(s: Slo): { past: Past | undefined; refused: string } {
  const window = seconds(s.window) ? s.window : '30d';
  const burn = useData<Burn>(`/api/burn/${encodeURIComponent(s.slo)}?span=${window}`, 30_000);
  const history = useData<History>(burn.problem ? `/api/slo/${encodeURIComponent(s.slo)}/history?span=${window}` : null, 30_000);
  const past = useMemo(() => (burn.data ? pastOfBurn(burn.data, s.slo) : history.data ? pastOfHistory(history.data, s) : undefined), [burn.data, history.data, s.slo]);
  return { past, refused: history.problem?.message ?? '' };
}

const notesOf = (past: Past) => past.annotations.filter((a) => a.kind !== 'release_watch').sort((a, b) => ms(a.at) - ms(b.at)).slice(-9);

function budgetChart(s: Slo, past: Past): ChartSpec {
  const now = past.to, window = seconds(s.window) || 2592000;
  const ahead = s.forecast.projected.filter((p, i) => i === 0 || seconds(p.after) <= window / 2);
  const x = [...past.steps.map((p) => p.at + past.stepS), ...ahead.map((p) => now + seconds(p.after))];
  const blank = past.steps.map(() => null);
  const left = s.error_budget_remaining;
  const joined = (of: (p: Point) => number | null) => [...blank.slice(0, -1), left, ...ahead.map((p) => { const used = of(p); return used === null ? null : 1 - used; })];
  const lines = [
    { label: 'budget left', values: [...past.steps.slice(0, -1).map((p) => p.left), left, ...ahead.map(() => null)], colour: colour('accent'), width: 2.2 },
    ...(ahead.length ? [
      { label: 'forecast', values: joined((p) => p.consumed), colour: colour('accent'), dash: [5, 4], width: 1.8 },
      { label: 'at best', values: joined((p) => p.low), colour: 'transparent', width: 0 },
      { label: 'at worst', values: joined((p) => p.high), colour: 'transparent', width: 0 }] : []),
  ];
  // How bad it may get must not flatten what was: the band may leave the picture.
  const all = lines.slice(0, 2).flatMap((l) => l.values).filter((v): v is number => v !== null);
  const low = Math.min(0, ...all) * 1.3;
  return {
    label: `Budget left of ${s.slo} over ${s.window}: now ${percent(left)}. ${s.forecast.forecast_message}`, x, lines, height: 240, now,
    ...(ahead.length ? { band: { low: 4, high: 3, fill: `${colour('accent')}22` } } : {}),
    levels: [{ at: 0, text: 'nothing left', colour: colour('bad') }],
    notes: notesOf(past).map((a) => ({ at: ms(a.at) / 1000, text: a.text })),
    range: () => [low < 0 ? low : -0.06, low < -2 ? 1 - low * 0.12 : 1.06], axis: (v) => percent(v, 0),
  };
}

function sliChart(s: Slo, past: Past): ChartSpec {
  const values = past.steps.map((p) => (p.good + p.bad ? p.good / (p.good + p.bad) : null));
  const found = values.filter((v): v is number => v !== null);
  const low = Math.min(s.target ?? 1, ...found);
  const digits = low > 0.99 ? 2 : low > 0.9 ? 1 : 0;
  return {
    label: `Share of good events of ${s.slo} per ${span(past.stepS)}; target ${percent(s.target, 4)}, lowest ${percent(low)}`, x: past.steps.map((p) => p.at), height: 200,
    lines: [{ label: 'good', values, colour: colour('ok'), show: (v) => ratio(v) }],
    levels: s.target === null ? [] : [{ at: s.target, text: `target ${percent(s.target, 4)}`, colour: colour('dim') }],
    range: () => [Math.max(0, low - (1 - low) * 0.15 - 0.0005), 1 + (1 - low) * 0.06 + 0.0002], axis: (v) => percent(v, digits),
  };
}

function Charts({ s }: { s: Slo }) {
  const { past, refused } = usePast(s);
  const budget = useMemo(() => past && budgetChart(s, past), [past, s.forecast.made_at]);
  const sli = useMemo(() => past && sliChart(s, past), [past]);
  const notes = past ? notesOf(past) : [];
  return (
    <>
      <Card title="Budget left, and where it goes" more={<span title={`${s.forecast.data_points_used} points, confidence ${s.forecast.confidence_level}`}>window {s.window}, trend {s.forecast.burn_rate_trend}</span>}>
        {refused ? <p class="problem">{refused}</p> : budget ? <Chart spec={budget} /> : <Skeleton lines={10} />}
        {notes.length > 0 && <ol class="notes" aria-label="what changed">{notes.map((a, i) => <li key={a.id}><b aria-hidden="true">{i + 1}</b><span><Time at={a.at} /> · {a.kind.replace('_', ' ')} of {a.service || 'all'}{a.who ? ` by ${a.who}` : ''}: {a.text}</span></li>)}</ol>}
      </Card>
      <Card title="Good events over time" more={past ? `per ${span(past.stepS)}` : ''}>{sli ? <Chart spec={sli} /> : !refused && <Skeleton lines={8} />}</Card>
    </>
  );
}

function Gauge({ name, burn, factor }: { name: string; burn: number | null; factor: number }) {
  const most = factor * 1.5;
  const over = burn !== null && burn > factor;
  return (
    <div class={`gauge tone-${over ? 'bad' : burn !== null && burn > factor / 2 ? 'warn' : 'ok'}`}>
      <span class="dim">{name}</span>
      <span class="track"><span style={{ width: `${Math.min(1, (burn ?? 0) / most) * 100}%` }} /><i style={{ left: `${(factor / most) * 100}%` }} /></span>
      <span class="num n">{over ? <b>{times(burn)}</b> : times(burn)}</span>
    </div>
  );
}

/** The rules as the agent's arithmetic names them, for agents that do not list them. */
function rulesOf(explain: string): Rule[] {
  const found = explain.matchAll(/^ {2}(\S+) \((\w+), P\d\), factor ([\d.]+)\n {4}(\S+) +\[[^\n]*\n[^\n]*\n {4}(\S+) +\[/gm);
  return [...found].map(([, name, severity, factor, long, short]) => ({ name: name!, severity: severity!, kind: 'burn', factor: Number(factor), long_window: long!, short_window: short! }));
}

function Rules({ s, target, explain }: { s: Slo; target: Target | undefined; explain: string | undefined }) {
  const rules = target?.rules ?? (explain ? rulesOf(explain) : []);
  const burn = (w: string): Window | undefined => s.windows[w] ?? Object.entries(s.windows).find(([name]) => seconds(name) === seconds(w))?.[1];
  return (
    <Card title="Burn rates and what would page" more="a rule fires when both windows pass its mark">
      {rules.filter((r) => r.kind === 'burn').map((r) => (
        <div class="rule" key={r.name}>
          <div><b>{r.name}</b><small class="block">{r.severity} above {r.factor}×</small></div>
          <div class="gauges"><Gauge name={r.long_window} burn={burn(r.long_window)?.burn_rate ?? null} factor={r.factor} /><Gauge name={r.short_window} burn={burn(r.short_window)?.burn_rate ?? null} factor={r.factor} /></div>
        </div>
      ))}
      {rules.length === 0 && (explain === undefined ? <Skeleton lines={6} /> : <Nothing>No burn rule watches it.</Nothing>)}
    </Card>
  );
}

function Latency({ s, target }: { s: Slo; target: Target | undefined }) {
  if (s.p50 === undefined) return null;
  const all: [string, number | null | undefined][] = [['p50', s.p50], ['p95', s.p95], ['p99', s.p99]];
  const limit = target?.threshold ?? null;
  const most = Math.max(1, limit ?? 0, ...all.map(([, v]) => v ?? 0)) * 1.05;
  return (
    <Card title="Latency" more={limit !== null ? `good up to ${limit} ${s.unit ?? ''}` : `over ${s.window}`}>
      <div class="gauges quantiles">{all.map(([name, v]) => (
        <div class={`gauge tone-${limit !== null && (v ?? 0) > limit ? 'warn' : 'info'}`} key={name}><span class="dim">{name}</span>
          <span class="track"><span style={{ width: `${((v ?? 0) / most) * 100}%` }} />{limit !== null && <i style={{ left: `${(limit / most) * 100}%` }} />}</span>
          <span class="num n">{v === null || v === undefined ? '–' : `${v >= 100 ? Math.round(v) : v.toFixed(1)} ${s.unit ?? ''}`}</span></div>
      ))}</div>
    </Card>
  );
}

function Alerts({ s }: { s: Slo }) {
  const alerts = useData<Alert[]>('/api/alerts');
  return (
    <Card title="Alerts">
      <Await of={alerts}>{(all) => {
        const mine = all.filter((a) => a.slo === s.slo).slice(0, 8);
        return mine.length === 0 ? <Nothing>None of late.</Nothing> : (
          <ul class="rows">{mine.map((a) => (
            <li key={`${a.sequence}${a.at}${a.rule}`}><Mark tone={a.kind === 'resolved' ? 'ok' : 'bad'}>{a.kind === 'resolved' ? 'over' : a.firing ? 'fires' : 'fired'}</Mark>
              <div class="what"><b>{a.rule}</b> <span class="dim">{a.severity}</span><p>{a.summary}</p></div><div class="when"><Time at={a.at} /></div></li>
          ))}</ul>);
      }}</Await>
    </Card>
  );
}

function override(s: Slo) {
  const given = s.release.override !== null;
  ask({
    title: given ? `Take the override of ${s.slo} back` : `Open the gate of ${s.slo} for 4 hours`, path: `/api/gate/${encodeURIComponent(s.slo)}/override`, button: given ? 'Take back' : 'Open the gate',
    says: 'It is written to the change log, with your name.', ...(given ? {} : { needsText: 'Why must it go out?' }),
    body: (text, who) => (given ? { revoke: true, by: who } : { reason: text, ttl: '4h', by: who }), done: () => refresh('/api/slo', '/api/changes'),
  });
}

function Objective({ s }: { s: Slo }) {
  const targets = useData<Target[]>(`/api/slo/${encodeURIComponent(s.service)}/targets`, 300_000);
  const [asked, explainIt] = useState(false);
  const target = targets.data?.find((t) => t.slo === s.slo);
  const explain = useData<string>(asked || targets.problem ? `/api/slo/${encodeURIComponent(s.slo)}/explain` : null);
  return (
    <div class="grid">
      <Card title={s.slo} wide more={`${percent(s.target, 4)} of ${s.budgeting_method.toLowerCase()} over ${s.window}`}>
        <dl class="facts">
          <Fact name="Budget left"><Budget left={s.error_budget_remaining} /></Fact>
          <Fact name="Good" title={`${s.good} good, ${s.bad} bad`}>{ratio(s.sli)}<small class="dim"> {count(s.bad)} bad of {count(s.total)}</small></Fact>
          <Fact name="Burn 5 min · 1 h · 24 h">{times(s.burn_rate_5m)} · {times(s.burn_rate_1h)} · {times(s.burn_rate_24h)}</Fact>
          <Fact name="Risk"><Mark tone={toneOfRisk[s.risk_level]} quiet>{s.risk_level.toLowerCase()}</Mark></Fact>
          <Fact name="Release" title={s.release.reason}><ReleaseMark release={s.release.decision} />{s.release.override && <small> overridden by {s.release.override.by}</small>}</Fact>
          <Fact name="Logs seen">{percent(s.coverage, 1)}</Fact>
        </dl>
        <p class={`forecast tone-${toneOfBudget(s.error_budget_remaining)}`}><Shape tone={s.forecast.early_warning ? 'warn' : 'info'} /> {s.forecast.forecast_message} <span class="dim">{s.release.reason}</span></p>
      </Card>
      <div class="stack seven"><Charts s={s} /></div>
      <div class="stack five"><Rules s={s} target={target} explain={explain.data} /><Latency s={s} target={target} /><Alerts s={s} /></div>
      <Card title="The arithmetic" wide more={target?.configured_in}>
        <details onToggle={(e) => explainIt((e.target as HTMLDetailsElement).open)}><summary>Every number, down to the counts</summary>{asked && <Await of={explain}>{(text) => <pre class="block" tabIndex={0}>{text}</pre>}</Await>}</details>
      </Card>
    </div>
  );
}

export function Service({ name, slo }: { name: string; slo: string | null }) {
  const read = useData<Slo[]>('/api/slo');
  const mine = read.data?.filter((s) => s.service === name || s.slo === name) ?? [];
  const shown = mine.find((s) => s.slo === slo) ?? mine[0];
  return (
    <>
      <div class="head"><h1>{name}</h1>{shown && <StateMark state={shown.state} />}
        {shown && <div class="buttons"><button onClick={() => override(shown)}>{shown.release.override ? 'Take the override back…' : 'Override the gate…'}</button></div>}</div>
      {mine.length > 1 && shown && <div class="head"><nav class="tabs" aria-label="objectives">{mine.map((s) => <a key={s.slo} href={`${to('service', name)}?slo=${encodeURIComponent(s.slo)}`} aria-current={s.slo === shown.slo ? 'true' : undefined}>{s.slo}</a>)}</nav></div>}
      {shown ? <Objective s={shown} key={shown.slo} /> : read.data ? <Nothing>No service is called {name}. <a href="#/">All services</a></Nothing> : <Skeleton lines={12} />}
    </>
  );
}
