// One service: what it promised, how it stands, where that goes, and the arithmetic behind.
import { useState } from 'preact/hooks';
import { refresh, useData } from '../data';
import { count, percent, ratio, times } from '../format';
import type { Alert, Slo, Target } from '../model';
import { to } from '../router';
import { Budget, toneOfBudget } from '../ui/budget';
import { Mark, ReleaseMark, Shape, StateMark, Time, toneOfRisk } from '../ui/marks';
import { Await, Card, Fact, Nothing, Skeleton } from '../ui/parts';
import { ask } from '../ui/write';
import { Charts } from './service_charts';
import { Latency, Rules } from './service_rules';

function acknowledge(a: Alert) {
  ask({
    title: `Acknowledge ${a.rule} of ${a.slo}`,
    path: `/api/alerts/${encodeURIComponent(a.id)}/acknowledge`,
    method: 'PATCH',
    button: 'Acknowledge',
    needsText: 'What is to be noted (may be empty)',
    body: (text, who) => ({ who, text }),
    done: () => refresh('/api/alerts', '/api/incidents', '/api/status'),
  });
}

function Alerts({ s }: { s: Slo }) {
  const alerts = useData<Alert[]>('/api/alerts');
  return (
    <Card title="Alerts">
      <Await of={alerts}>
        {(all) => {
          const mine = all.filter((a) => a.slo === s.slo).slice(0, 8);
          return mine.length === 0 ? (
            <Nothing>None of late.</Nothing>
          ) : (
            <ul class="rows">
              {mine.map((a) => (
                <li key={`${a.sequence}${a.at}${a.rule}`}>
                  <Mark tone={a.kind === 'resolved' ? 'ok' : 'bad'}>
                    {a.kind === 'resolved' ? 'over' : a.firing ? 'fires' : 'fired'}
                  </Mark>
                  <div class="what">
                    <b>{a.rule}</b> <span class="dim">{a.severity}</span>
                    <p>{a.summary}</p>
                    {a.incident && <a href={to('incidents', a.incident)}>{a.incident}</a>}{' '}
                    {a.acknowledged_by && <span class="dim">seen by {a.acknowledged_by}</span>}
                  </div>
                  <div class="when">
                    <Time at={a.at} />
                    <br />
                    {a.kind === 'fired' && a.firing && a.incident && !a.acknowledged && (
                      <button onClick={() => acknowledge(a)}>Acknowledge…</button>
                    )}
                  </div>
                </li>
              ))}
            </ul>
          );
        }}
      </Await>
    </Card>
  );
}

function override(s: Slo) {
  const given = s.release.override !== null;
  ask({
    title: given ? `Take the override of ${s.slo} back` : `Open the gate of ${s.slo} for 4 hours`,
    path: `/api/gate/${encodeURIComponent(s.slo)}/override`,
    button: given ? 'Take back' : 'Open the gate',
    says: 'It is written to the change log, with your name.',
    ...(given ? {} : { needsText: 'Why must it go out?' }),
    body: (text, who) => (given ? { revoke: true, by: who } : { reason: text, ttl: '4h', by: who }),
    done: () => refresh('/api/slo', '/api/changes'),
  });
}

function Objective({ s }: { s: Slo }) {
  const targets = useData<Target[]>(`/api/slo/${encodeURIComponent(s.service)}/targets`, 300_000);
  const [asked, explainIt] = useState(false);
  const target = targets.data?.find((t) => t.slo === s.slo);
  const explain = useData<string>(
    asked || targets.problem ? `/api/slo/${encodeURIComponent(s.slo)}/explain` : null,
  );
  return (
    <div class="grid">
      <Card
        title={s.slo}
        wide
        more={`${percent(s.target, 4)} of ${s.budgeting_method.toLowerCase()} over ${s.window}`}
      >
        <dl class="facts">
          <Fact name="Budget left">
            <Budget left={s.error_budget_remaining} />
          </Fact>
          <Fact name="Good" title={`${s.good} good, ${s.bad} bad`}>
            {ratio(s.sli)}
            <small class="dim">
              {' '}
              {count(s.bad)} bad of {count(s.total)}
            </small>
          </Fact>
          <Fact name="Burn 5 min · 1 h · 24 h">
            {times(s.burn_rate_5m)} · {times(s.burn_rate_1h)} · {times(s.burn_rate_24h)}
          </Fact>
          <Fact name="Risk">
            <Mark tone={toneOfRisk[s.risk_level]} quiet>
              {s.risk_level.toLowerCase()}
            </Mark>
          </Fact>
          <Fact name="Release" title={s.release.reason}>
            <ReleaseMark release={s.release.decision} />
            {s.release.override && <small> overridden by {s.release.override.by}</small>}
          </Fact>
          <Fact name="Logs seen">{percent(s.coverage, 1)}</Fact>
        </dl>
        <p class={`forecast tone-${toneOfBudget(s.error_budget_remaining)}`}>
          <Shape tone={s.forecast.early_warning ? 'warn' : 'info'} /> {s.forecast.forecast_message}{' '}
          <span class="dim">{s.release.reason}</span>
        </p>
      </Card>
      <div class="stack seven">
        <Charts s={s} />
      </div>
      <div class="stack five">
        <Rules s={s} target={target} explain={explain.data} />
        <Latency s={s} target={target} />
        <Alerts s={s} />
      </div>
      <Card title="The arithmetic" wide more={target?.configured_in}>
        <details onToggle={(e) => explainIt((e.target as HTMLDetailsElement).open)}>
          <summary>Every number, down to the counts</summary>
          {asked && (
            <Await of={explain}>
              {(text) => (
                <pre class="block" tabIndex={0}>
                  {text}
                </pre>
              )}
            </Await>
          )}
        </details>
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
      <div class="head">
        <h1>{name}</h1>
        {shown && <StateMark state={shown.state} />}
        {shown && (
          <div class="buttons">
            <button onClick={() => override(shown)}>
              {shown.release.override ? 'Take the override back…' : 'Override the gate…'}
            </button>
          </div>
        )}
      </div>
      {mine.length > 1 && shown && (
        <div class="head">
          <nav class="tabs" aria-label="objectives">
            {mine.map((s) => (
              <a
                key={s.slo}
                href={`${to('service', name)}?slo=${encodeURIComponent(s.slo)}`}
                aria-current={s.slo === shown.slo ? 'true' : undefined}
              >
                {s.slo}
              </a>
            ))}
          </nav>
        </div>
      )}
      {shown ? (
        <Objective s={shown} key={shown.slo} />
      ) : read.data ? (
        <Nothing>
          No service is called {name}. <a href="#/">All services</a>
        </Nothing>
      ) : (
        <Skeleton lines={12} />
      )}
    </>
  );
}
