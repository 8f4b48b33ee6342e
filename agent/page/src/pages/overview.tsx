// Is all well, and if not, where? From the verdict over the services down to every objective.
import { useEffect, useState } from 'preact/hooks';
import { useData } from '../data';
import { percent, ratio, times } from '../format';
import type { Fleet, Incident, Release, Risk, Slo, Status } from '../model';
import { to } from '../router';
import { suspectsOf } from '../suspects';
import { Budget } from '../ui/budget';
import {
  IncidentMark,
  ReleaseMark,
  Severity,
  Shape,
  StateMark,
  Time,
  toneOfRelease,
  toneOfRisk,
  toneOfState,
  wordOfState,
  type Tone,
} from '../ui/marks';
import { Await, Card, Nothing, Scroll, Skeleton } from '../ui/parts';
import { Spark } from '../ui/spark';

const kRisks: Risk[] = ['SAFE', 'OBSERVE', 'DANGER', 'FREEZE'];
const kReleases: Release[] = ['GO', 'CAUTION', 'HOLD', 'FREEZE'];
const kStates = ['NO_DATA', 'HEALTHY', 'DEGRADING', 'VIOLATED'] as const;

/** Worst first: out of budget, then risk, then what is left. */
function worse(a: Slo, b: Slo): number {
  return (
    kStates.indexOf(b.state) - kStates.indexOf(a.state) ||
    kRisks.indexOf(b.risk_level) - kRisks.indexOf(a.risk_level) ||
    (a.error_budget_remaining ?? 2) - (b.error_budget_remaining ?? 2) ||
    a.slo.localeCompare(b.slo)
  );
}
const burnTone = (burn: number): Tone => (burn >= 3 ? 'bad' : burn >= 1.5 ? 'warn' : 'watch');

export function Burn({ of }: { of: number | null }) {
  if (of === null || of < 1) return <span class="cell calm">{times(of)}</span>;
  return <span class={`cell tone-${burnTone(of)}`}>{times(of)}</span>;
}

function Tiles({ slos }: { slos: Slo[] | undefined }) {
  const incidents = useData<Incident[]>('/api/incidents?state=open').data;
  const fleet = useData<Fleet>('/api/fleet').data;
  const status = useData<Status>('/api/status').data;
  const bad = slos?.filter((s) => s.state === 'VIOLATED').length ?? 0,
    shaky = slos?.filter((s) => s.state === 'DEGRADING').length ?? 0;
  const gate = slos?.reduce<Release>(
    (worst, s) =>
      kReleases.indexOf(s.release.decision) > kReleases.indexOf(worst) ? s.release.decision : worst,
    'GO',
  );
  const held = slos?.filter((s) => !s.release.allowed).length ?? 0;
  const urgent = incidents?.filter((i) => i.severity === 'P0' || i.severity === 'P1').length ?? 0;
  const alive = fleet?.nodes.filter((n) => n.state === 'alive').length,
    nodes = fleet?.nodes.length;
  const well = fleet ? alive === nodes : status?.ready;
  return (
    <div class="tiles">
      <a
        class="tile"
        href="#objectives"
        onClick={(e) => {
          e.preventDefault();
          document.getElementById('objectives')?.scrollIntoView();
        }}
      >
        <span class="name">Objectives</span>
        {slos && (
          <>
            <span class={`big toned tone-${bad ? 'bad' : shaky ? 'warn' : 'ok'}`}>
              <Shape tone={bad ? 'bad' : shaky ? 'warn' : 'ok'} />
              {bad ? `${bad} out of budget` : shaky ? `${shaky} degrading` : 'all well'}
            </span>
            <span class="why">
              {slos.length - bad - shaky} of {slos.length} are{' '}
              {bad || shaky ? 'well or without data' : 'within budget'}
            </span>
          </>
        )}
      </a>
      <a class="tile" href={to('incidents')}>
        <span class="name">Incidents</span>
        {incidents && (
          <>
            <span class={`big toned tone-${urgent ? 'bad' : incidents.length ? 'warn' : 'ok'}`}>
              <Shape tone={urgent ? 'bad' : incidents.length ? 'warn' : 'ok'} />
              {incidents.length ? `${incidents.length} open` : 'none open'}
            </span>
            <span class="why">
              {urgent ? `${urgent} urgent, ` : ''}
              {incidents.filter((i) => i.acknowledged).length} acknowledged
            </span>
          </>
        )}
      </a>
      <div class="tile">
        <span class="name">Releases</span>
        {gate && slos && (
          <>
            <span class={`big toned tone-${toneOfRelease[gate]}`}>
              <Shape tone={toneOfRelease[gate]} />
              {held ? `${held} held` : gate === 'GO' ? 'may go out' : 'with care'}
            </span>
            <span class="why">
              {held
                ? `for ${new Set(slos.filter((s) => !s.release.allowed).map((s) => s.service)).size} of ${new Set(slos.map((s) => s.service)).size} services`
                : 'every gate is open'}
            </span>
          </>
        )}
      </div>
      <a class="tile" href={to('fleet')}>
        <span class="name">{fleet ? 'Fleet' : 'Node'}</span>
        {status && (
          <>
            <span class={`big toned tone-${well ? 'ok' : 'warn'}`}>
              <Shape tone={well ? 'ok' : 'warn'} />
              {fleet ? `${alive} of ${nodes} alive` : status.ready ? 'ready' : 'not ready'}
            </span>
            <span class="why one">
              {status.ready ? `${status.node} counts up to ` : status.not_ready_reason}
              {status.ready && <Time at={status.watermark} />}
            </span>
          </>
        )}
      </a>
    </div>
  );
}

function OpenIncidents() {
  const open = useData<Incident[]>('/api/incidents?state=open');
  return (
    <Card title="Open incidents" wide more={<a href={to('incidents')}>all incidents</a>}>
      <Await of={open} lines={4}>
        {(incidents) =>
          incidents.length === 0 ? (
            <Nothing>None. It is quiet.</Nothing>
          ) : (
            <ul class="rows">
              {incidents.slice(0, 5).map((i) => (
                <li key={i.id}>
                  <Severity of={i.severity} />
                  <div class="what">
                    <a class="clip" href={to('incidents', i.id)}>
                      {i.title}
                    </a>
                    {suspectsOf(i)
                      .slice(0, 1)
                      .map((s) => (
                        <p key={s.number} class="one">
                          suspect: {s.entry.text}
                        </p>
                      ))}
                  </div>
                  <div class="when">
                    <IncidentMark state={i.state} />
                    <br />
                    {i.service} · <Time at={i.began} ago />
                  </div>
                </li>
              ))}
            </ul>
          )
        }
      </Await>
    </Card>
  );
}

function Mosaic({ slos }: { slos: Slo[] }) {
  const services = new Map<string, Slo[]>();
  for (const s of slos) services.set(s.service, [...(services.get(s.service) ?? []), s]);
  return (
    <div class="mosaic">
      {[...services].map(([name, all]) => {
        const worst = all[0]!;
        const tone =
          worst.state === 'VIOLATED' || worst.state === 'NO_DATA'
            ? toneOfState[worst.state]
            : toneOfRisk[worst.risk_level];
        const left = worst.error_budget_remaining;
        return (
          <a key={name} class={`tone-${tone}`} href={to('service', name)}>
            <Shape tone={tone} />
            <b>{name}</b>
            <span class="what num">
              {left === null ? (
                wordOfState[worst.state]
              ) : (
                <>
                  {left < -9.99 ? '<−999 %' : percent(left, 0)} left
                  <span class="nophone"> · burns {times(worst.burn_rate_1h)}</span>
                </>
              )}
            </span>
            <span class="hidden">
              ,{' '}
              {worst.state === 'HEALTHY'
                ? worst.risk_level.toLowerCase()
                : wordOfState[worst.state]}
            </span>
          </a>
        );
      })}
    </div>
  );
}

const kFirst = 20;
/** What fits the screen is drawn at once, the rest in the frame after it. */
function useLater(): boolean {
  const [later, set] = useState(false);
  useEffect(() => {
    const frame = requestAnimationFrame(() => setTimeout(() => set(true)));
    return () => cancelAnimationFrame(frame);
  }, []);
  return later;
}

function Rows({ slos }: { slos: Slo[] }) {
  const shown = useLater() ? slos : slos.slice(0, kFirst);
  return (
    <tbody>
      {shown.map((s) => (
        <Row key={s.slo} s={s} />
      ))}
    </tbody>
  );
}

function Row({ s }: { s: Slo }) {
  return (
    <tr>
      <td class="full">
        <a class="name" href={`${to('service', s.service)}?slo=${encodeURIComponent(s.slo)}`}>
          {s.slo}
        </a>
        <small>
          {s.service}
          {s.draft ? ' · draft' : ''}
        </small>
      </td>
      <td class="far">
        <StateMark state={s.state} />
      </td>
      <td class="full">
        <Budget left={s.error_budget_remaining} />
      </td>
      <td class="far">
        <Spark slo={s.slo} target={s.target} />
      </td>
      <td class="n" data-name="5 min">
        <Burn of={s.burn_rate_5m} />
      </td>
      <td class="n" data-name="1 h">
        <Burn of={s.burn_rate_1h} />
      </td>
      <td class="n" data-name="24 h">
        <Burn of={s.burn_rate_24h} />
      </td>
      <td class="n notablet">
        {ratio(s.sli)}
        <small>of {percent(s.target, 4)}</small>
      </td>
      <td class="notablet">
        <span title={s.release.reason}>
          <ReleaseMark release={s.release.decision} />
        </span>
      </td>
    </tr>
  );
}

export function Overview() {
  const read = useData<Slo[]>('/api/slo');
  const slos = read.data ? [...read.data].sort(worse) : undefined;
  return (
    <>
      <div class="head">
        <h1>Overview</h1>
      </div>
      <Tiles slos={slos} />
      <div class="grid">
        <Card
          title="Services by risk"
          wide
          more={
            <span class="legend">
              {kRisks.map((r) => (
                <span key={r}>
                  <Shape tone={toneOfRisk[r]} />
                  {r === 'FREEZE' ? 'freeze, out of budget' : r.toLowerCase()}
                </span>
              ))}
            </span>
          }
        >
          {slos ? (
            slos.length ? (
              <Mosaic slos={slos} />
            ) : (
              <Nothing>No objective is watched yet.</Nothing>
            )
          ) : (
            <Skeleton lines={4} />
          )}
        </Card>
        <OpenIncidents />
        <Card
          title="Objectives"
          id="objectives"
          wide
          more="worst first; burn 1× uses the budget up exactly at the end of its window"
        >
          {slos ? (
            <Scroll label="objectives">
              <table class="fold">
                <thead>
                  <tr>
                    <th>Objective</th>
                    <th>State</th>
                    <th>Budget left</th>
                    <th>Last 24 h</th>
                    <th class="n">Burn 5 min</th>
                    <th class="n">1 h</th>
                    <th class="n">24 h</th>
                    <th class="n notablet">Good</th>
                    <th class="notablet">Release</th>
                  </tr>
                </thead>
                <Rows slos={slos} />
              </table>
            </Scroll>
          ) : (
            <Skeleton lines={12} />
          )}
        </Card>
      </div>
    </>
  );
}
