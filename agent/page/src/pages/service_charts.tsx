// How the budget of an objective went and where it goes, and what was good over time.
import { useMemo } from 'preact/hooks';
import { useData } from '../data';
import { ms, percent, ratio, seconds, span } from '../format';
import type { Burn, Change, History, Slo } from '../model';
import { Chart, colour, type ChartSpec } from '../ui/chart';
import { Time } from '../ui/marks';
import { Card, Skeleton } from '../ui/parts';

type Point = Slo['forecast']['projected'][number];
interface Step {
  at: number;
  good: number;
  bad: number;
  left: number | null;
}
interface Past {
  steps: Step[];
  stepS: number;
  to: number;
  annotations: Change[];
}

function pastOfBurn(burn: Burn, slo: string): Past | undefined {
  const found = burn.series.find((s) => s.slo === slo);
  return (
    found && {
      to: ms(burn.to) / 1000,
      stepS: seconds(burn.step),
      annotations: found.annotations,
      steps: found.points.map((p) => ({
        at: ms(p.at) / 1000,
        good: p.good,
        bad: p.bad,
        left: p.error_budget_remaining,
      })),
    }
  );
}

/** From the events alone: what this window's bad events have used of the budget, step by step. */
function pastOfHistory(history: History, s: Slo): Past {
  let bad = 0;
  const allowed = s.total * (1 - (s.target ?? 1));
  const steps = history.points.map((p) => {
    bad += p.bad;
    return {
      at: ms(p.at) / 1000,
      good: p.good,
      bad: p.bad,
      left: allowed > 0 ? 1 - bad / allowed : null,
    };
  });
  return {
    steps,
    stepS: seconds(history.step),
    to: ms(history.to) / 1000,
    annotations: history.annotations,
  };
}

function usePast(s: Slo): { past: Past | undefined; refused: string } {
  const hours = Math.min(92 * 24, Math.max(1, Math.ceil((seconds(s.window) || 30 * 86400) / 3600)));
  const window = `${hours}h`;
  const burn = useData<Burn>(`/api/burn/${encodeURIComponent(s.slo)}?span=${window}`, 30_000);
  const history = useData<History>(
    burn.problem ? `/api/slo/${encodeURIComponent(s.slo)}/history?span=${window}` : null,
    30_000,
  );
  const past = useMemo(
    () =>
      burn.data
        ? pastOfBurn(burn.data, s.slo)
        : history.data
          ? pastOfHistory(history.data, s)
          : undefined,
    [burn.data, history.data, s.slo],
  );
  return { past, refused: history.problem?.message ?? '' };
}

const notesOf = (past: Past) =>
  past.annotations
    .filter((a) => a.kind !== 'release_watch')
    .sort((a, b) => ms(a.at) - ms(b.at))
    .slice(-9);

function budgetChart(s: Slo, past: Past): ChartSpec {
  const now = past.to,
    window = seconds(s.window) || 2592000;
  const ahead = s.forecast.projected.filter((p, i) => i === 0 || seconds(p.after) <= window / 2);
  const x = [
    ...past.steps.map((p) => p.at + past.stepS),
    ...ahead.map((p) => now + seconds(p.after)),
  ];
  const blank = past.steps.map(() => null);
  const left = s.error_budget_remaining;
  const joined = (of: (p: Point) => number | null) => [
    ...blank.slice(0, -1),
    left,
    ...ahead.map((p) => {
      const used = of(p);
      return used === null ? null : 1 - used;
    }),
  ];
  const lines = [
    {
      label: 'budget left',
      values: [...past.steps.slice(0, -1).map((p) => p.left), left, ...ahead.map(() => null)],
      colour: colour('accent'),
      width: 2.2,
    },
    ...(ahead.length
      ? [
          {
            label: 'forecast',
            values: joined((p) => p.consumed),
            colour: colour('accent'),
            dash: [5, 4],
            width: 1.8,
          },
          { label: 'at best', values: joined((p) => p.low), colour: 'transparent', width: 0 },
          { label: 'at worst', values: joined((p) => p.high), colour: 'transparent', width: 0 },
        ]
      : []),
  ];
  // How bad it may get must not flatten what was: the band may leave the picture.
  const all = lines
    .slice(0, 2)
    .flatMap((l) => l.values)
    .filter((v): v is number => v !== null);
  const low = Math.min(0, ...all) * 1.3;
  return {
    label: `Budget left of ${s.slo} over ${s.window}: now ${percent(left)}. ${s.forecast.forecast_message}`,
    x,
    lines,
    height: 240,
    now,
    ...(ahead.length ? { band: { low: 4, high: 3, fill: `${colour('accent')}22` } } : {}),
    levels: [{ at: 0, text: 'nothing left', colour: colour('bad') }],
    notes: notesOf(past).map((a) => ({ at: ms(a.at) / 1000, text: a.text })),
    range: () => [low < 0 ? low : -0.06, low < -2 ? 1 - low * 0.12 : 1.06],
    axis: (v) => percent(v, 0),
  };
}

function sliChart(s: Slo, past: Past): ChartSpec {
  const values = past.steps.map((p) => (p.good + p.bad ? p.good / (p.good + p.bad) : null));
  const found = values.filter((v): v is number => v !== null);
  const low = Math.min(s.target ?? 1, ...found);
  const digits = low > 0.99 ? 2 : low > 0.9 ? 1 : 0;
  return {
    label: `Share of good events of ${s.slo} per ${span(past.stepS)}; target ${percent(s.target, 4)}, lowest ${percent(low)}`,
    x: past.steps.map((p) => p.at),
    height: 200,
    lines: [{ label: 'good', values, colour: colour('ok'), show: (v) => ratio(v) }],
    levels:
      s.target === null
        ? []
        : [{ at: s.target, text: `target ${percent(s.target, 4)}`, colour: colour('dim') }],
    range: () => [Math.max(0, low - (1 - low) * 0.15 - 0.0005), 1 + (1 - low) * 0.06 + 0.0002],
    axis: (v) => percent(v, digits),
  };
}

export function Charts({ s }: { s: Slo }) {
  const { past, refused } = usePast(s);
  const budget = useMemo(() => past && budgetChart(s, past), [past, s.forecast.made_at]);
  const sli = useMemo(() => past && sliChart(s, past), [past]);
  const notes = past ? notesOf(past) : [];
  return (
    <>
      <Card
        title="Budget left, and where it goes"
        more={
          <span
            title={`${s.forecast.data_points_used} points, confidence ${s.forecast.confidence_level}`}
          >
            window {s.window}, trend {s.forecast.burn_rate_trend}
          </span>
        }
      >
        {refused ? (
          <p class="problem">{refused}</p>
        ) : budget ? (
          <Chart spec={budget} />
        ) : (
          <Skeleton lines={10} />
        )}
        {notes.length > 0 && (
          <ol class="notes" aria-label="what changed">
            {notes.map((a, i) => (
              <li key={a.id}>
                <b aria-hidden="true">{i + 1}</b>
                <span>
                  <Time at={a.at} /> · {a.kind.replace('_', ' ')} of {a.service || 'all'}
                  {a.who ? ` by ${a.who}` : ''}: {a.text}
                </span>
              </li>
            ))}
          </ol>
        )}
      </Card>
      <Card title="Good events over time" more={past ? `per ${span(past.stepS)}` : ''}>
        {sli ? <Chart spec={sli} /> : !refused && <Skeleton lines={8} />}
      </Card>
    </>
  );
}
