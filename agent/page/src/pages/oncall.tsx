// Who is called now, who is next, and how much each had to bear.
import { useData } from '../data';
import { words } from '../format';
import type { Incident, OnCall as Rota, Outbox, Shift } from '../model';
import { to } from '../router';
import { IncidentMark, Mark, Severity, Time, type Tone } from '../ui/marks';
import { Await, Card, Nothing, Scroll } from '../ui/parts';

const kTones: Tone[] = ['info', 'ok', 'watch', 'warn', 'none'];

function Schedule({ s, people }: { s: Rota['schedules'][number]; people: string[] }) {
  const shifts: Shift[] = [
    ...s.on_call.map((o) => ({ ...o, until: o.until ?? s.until ?? undefined }) as Shift),
    ...(s.next ?? []),
  ];
  const long = (x: Shift) =>
    Math.max(
      1,
      Date.parse(x.until ?? '') -
        Math.max(Date.now(), Date.parse(x.from ?? new Date().toISOString())) || 1,
    );
  return (
    <Card title={words(s.name)} more={s.time_zone}>
      <p class="who">{s.on_call.map((o) => o.person ?? 'nobody').join(', ') || 'nobody'}</p>
      <p class="dim">
        until <Time at={s.until} />
      </p>
      {shifts.length > 1 && (
        <div class="tracks">
          <div class="shifts" role="list" aria-label="what comes">
            {shifts.map((x, i) => (
              <span
                key={i}
                role="listitem"
                class={`tone-${kTones[Math.max(0, people.indexOf(x.person ?? '')) % kTones.length]}`}
                style={{ flexGrow: long(x) }}
              >
                {x.person ?? 'nobody'}
              </span>
            ))}
          </div>
          <ul class="rows">
            {(s.next ?? []).slice(0, 4).map((x, i) => (
              <li key={i}>
                <span class="dim">then</span>
                <div class="what">
                  <b>{x.person ?? 'nobody'}</b>
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
  const rota = useData<Rota>('/api/oncall', 30_000);
  const open = useData<Incident[]>('/api/incidents?state=open');
  const people = [
    ...new Set(
      rota.data?.schedules.flatMap((s) =>
        [...s.on_call, ...(s.next ?? [])].map((x) => x.person ?? ''),
      ) ?? [],
    ),
  ].sort();
  return (
    <>
      <div class="head">
        <h1>On-call</h1>
        <p class="sub">Who is called when something breaks, and what waits for them now.</p>
      </div>
      <div class="grid">
        {rota.data ? (
          rota.data.schedules.map((s) => <Schedule key={s.name} s={s} people={people} />)
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
        {rota.data?.load && (
          <Card title="Load" wide more="pages of the last weeks">
            <Scroll label="load">
              <table>
                <thead>
                  <tr>
                    <th>Person</th>
                    <th class="n">Pages</th>
                    <th class="n">At night</th>
                  </tr>
                </thead>
                <tbody>
                  {rota.data.load.map((l) => (
                    <tr key={l.person}>
                      <td>{l.person}</td>
                      <td class="n">{l.pages}</td>
                      <td class="n">{l.night_pages ?? '–'}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </Scroll>
          </Card>
        )}
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
