// Who is called now, who is next, and how much each had to bear.
import { useData } from '../data';
import { words } from '../format';
import type { Incident, OnCall as People, OnCallReport, Outbox, Rota } from '../model';
import { to } from '../router';
import { IncidentMark, Mark, Severity, Time, type Tone } from '../ui/marks';
import { Await, Card, Nothing, Scroll } from '../ui/parts';

const kTones: Tone[] = ['info', 'ok', 'watch', 'warn', 'none'];
const kShown = 4; // shifts that are written out

interface Turn {
  person: string | null;
  from: string | null;
  until: string | null;
  why: string;
}
const hours = (x: Turn) =>
  Math.max(1, (Date.parse(x.until!) - (x.from ? Date.parse(x.from) : Date.now())) / 3.6e6);

function Schedule({ s, people }: { s: Rota; people: People['people'] }) {
  const now: Turn = { person: s.person, from: null, until: s.until, why: s.why };
  const turns = [now, ...s.next].filter((x) => x.until !== null);
  const place = (id: string | null) => people.findIndex((p) => p.person === id);
  const name = (id: string | null) => people[place(id)]?.name || id || 'nobody';
  return (
    <Card title={words(s.schedule)} more={s.why}>
      <p class={s.person === null ? 'who toned tone-bad' : 'who'}>{name(s.person)}</p>
      <p class="dim">
        {s.until ? (
          <>
            until <Time at={s.until} />
          </>
        ) : (
          'nobody else has a turn'
        )}
      </p>
      {turns.length > 1 && (
        <div class="turns">
          <div class="shifts" role="list" aria-label="what comes">
            {turns.map((x, i) => (
              <span
                key={i}
                role="listitem"
                title={x.why}
                class={`tone-${x.person === null ? 'bad' : kTones[place(x.person) % kTones.length]}`}
                style={{ flexGrow: hours(x) }}
              >
                {x.person ?? 'nobody'}
              </span>
            ))}
          </div>
          <ul class="rows">
            {s.next.slice(0, kShown).map((x, i) => (
              <li key={i}>
                <span class="dim">then</span>
                <div class="what">
                  <b>{name(x.person)}</b>
                  {/ instead of |^nobody/.test(x.why) && <p>{x.why}</p>}
                </div>
                <div class="when">
                  <Time at={x.from} /> to <Time at={x.until} />
                </div>
              </li>
            ))}
          </ul>
        </div>
      )}
    </Card>
  );
}

/** Seconds as people say them. */
const took = (s: number | null) =>
  s === null
    ? '–'
    : s < 120
      ? `${s} s`
      : s < 7200
        ? `${Math.round(s / 60)} min`
        : `${(s / 3600).toFixed(1)} h`;

function Load({ people }: { people: People['people'] }) {
  const read = useData<OnCallReport>('/api/oncall/report', 60_000);
  return (
    <Card
      title="Load"
      wide
      more="of the last 28 days; fatigue is of recent pages, at night they count more"
    >
      <Await of={read}>
        {(r) => (
          <>
            <Scroll label="load">
              <table class="fold">
                <thead>
                  <tr>
                    <th>Person</th>
                    <th>Now</th>
                    <th class="n">Pages 24 h</th>
                    <th class="n">28 d</th>
                    <th class="n">At night</th>
                    <th class="n">Answers after</th>
                    <th class="n">On call</th>
                    <th class="n">Fatigue</th>
                  </tr>
                </thead>
                <tbody>
                  {people.map((p) => {
                    const l = r.people.find((one) => one.person === p.person);
                    return (
                      <tr key={p.person}>
                        <td class="full">
                          <b class="name">{p.name || p.person}</b>
                          <small>{p.notify.join(', ') || 'no notifier here'}</small>
                        </td>
                        <td class="far">
                          {p.notify.length === 0 ? (
                            <Mark tone="warn">cannot be told</Mark>
                          ) : p.away ? (
                            <Mark tone="none">away</Mark>
                          ) : p.quiet ? (
                            <Mark tone="watch">quiet hours</Mark>
                          ) : (
                            <Mark tone="ok">can be told</Mark>
                          )}
                        </td>
                        <td class="n" data-name="24 h">
                          {p.pages_24h}
                        </td>
                        <td class="n" data-name="28 d">
                          {l?.pages ?? 0}
                        </td>
                        <td class="n" data-name="at night">
                          {l?.night_pages ?? 0}
                        </td>
                        <td class="n" data-name="answers after">
                          {took(l?.median_ack_s ?? null)}
                        </td>
                        <td class="n" data-name="on call">
                          {Math.round((l?.on_call_s ?? 0) / 3600)} h
                        </td>
                        <td class="n" data-name="fatigue">
                          {p.fatigue.toFixed(1)}
                        </td>
                      </tr>
                    );
                  })}
                </tbody>
              </table>
            </Scroll>
            {r.noisy_rules.length > 0 && (
              <ul class="rows">
                {r.noisy_rules.slice(0, kShown).map((n) => (
                  <li key={n.signature}>
                    <Mark tone="watch">noisy</Mark>
                    <div class="what">
                      <b>{n.signature}</b>
                      <p>{n.hint}</p>
                    </div>
                    <div class="when">{n.pages} pages</div>
                  </li>
                ))}
              </ul>
            )}
          </>
        )}
      </Await>
    </Card>
  );
}

function Told() {
  const read = useData<Outbox>('/api/outbox');
  return (
    <Card title="Who is told, and did it arrive" wide>
      <Await of={read}>
        {(o) =>
          o.notifiers.length ? (
            <Scroll label="notifiers">
              <table class="fold">
                <thead>
                  <tr>
                    <th>Notifier</th>
                    <th>State</th>
                    <th class="n">Waiting</th>
                    <th class="n">Sent</th>
                    <th class="n">Given up</th>
                    <th>Last trouble</th>
                  </tr>
                </thead>
                <tbody>
                  {o.notifiers.map((n) => (
                    <tr key={n.name}>
                      <td class="full">
                        <b class="name">{n.name}</b>
                        <small>{n.kind}</small>
                      </td>
                      <td class="far">
                        {n.last_error && n.pending ? (
                          <Mark tone="warn">does not get through</Mark>
                        ) : (
                          <Mark tone="ok">works</Mark>
                        )}
                      </td>
                      <td class="n" data-name="waiting">
                        {n.pending}
                      </td>
                      <td class="n" data-name="sent">
                        {n.sent}
                      </td>
                      <td class="n" data-name="given up">
                        {n.dead}
                      </td>
                      <td class="text nophone dim">{n.last_error || '–'}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </Scroll>
          ) : (
            <Nothing>Nobody is configured to be told.</Nothing>
          )
        }
      </Await>
    </Card>
  );
}

export function OnCall() {
  const rota = useData<People>('/api/oncall', 30_000);
  const open = useData<Incident[]>('/api/incidents?state=open');
  return (
    <>
      <div class="head">
        <h1>On-call</h1>
        <p class="sub">Who is called when something breaks, and what waits for them now.</p>
      </div>
      <div class="grid">
        {rota.data ? (
          rota.data.schedules.map((s) => (
            <Schedule key={s.schedule} s={s} people={rota.data!.people} />
          ))
        ) : (
          <Card title="Rota" wide>
            {rota.problem ? (
              <Nothing>
                {rota.problem.status === 404
                  ? 'No rota is served: name a document of people and schedules with oncall.file; nines oncall who answers on the command line.'
                  : rota.problem.message}
              </Nothing>
            ) : (
              <Await of={rota}>{() => null}</Await>
            )}
          </Card>
        )}
        {rota.data && <Load people={rota.data.people} />}
        <Card title="Waits for somebody" wide more={<a href={to('incidents')}>all incidents</a>}>
          <Await of={open}>
            {(all) => {
              const waiting = all.filter((i) => !i.acknowledged);
              return waiting.length ? (
                <ul class="rows">
                  {waiting.map((i) => (
                    <li key={i.id}>
                      <Severity of={i.severity} />
                      <div class="what">
                        <a class="clip" href={to('incidents', i.id)}>
                          {i.title}
                        </a>
                      </div>
                      <div class="when">
                        <IncidentMark state={i.state} />
                        <br />
                        <Time at={i.began} ago />
                      </div>
                    </li>
                  ))}
                </ul>
              ) : (
                <Nothing>Every open incident is acknowledged.</Nothing>
              );
            }}
          </Await>
        </Card>
        <Told />
      </div>
    </>
  );
}
