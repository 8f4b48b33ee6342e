// All incidents, newest first, and how soon they were noticed, answered and over.
import { useData } from '../data';
import { ms, span } from '../format';
import type { Incident, Kpis } from '../model';
import { to } from '../router';
import { IncidentMark, Severity, Time } from '../ui/marks';
import { Await, Card, Fact, Nothing, Scroll } from '../ui/parts';

const kStates = ['open', 'all', 'acknowledged', 'mitigated', 'resolved'];

const lasted = (i: Incident) =>
  span(((i.resolved ? ms(i.resolved) : Date.now()) - ms(i.began)) / 1000);

export function Incidents({ state }: { state: string }) {
  const read = useData<Incident[]>(`/api/incidents?state=${encodeURIComponent(state)}`);
  const kpis = useData<Kpis>('/api/kpis', 60_000).data;
  const median = (name: 'mttd' | 'mtta' | 'mttr') => {
    const s = kpis?.all[name].median_seconds;
    return s === null || s === undefined ? '–' : span(s);
  };
  return (
    <>
      <div class="head">
        <h1>Incidents</h1>
        <nav class="tabs" aria-label="which">
          {kStates.map((s) => (
            <a
              key={s}
              href={`${to('incidents')}?state=${s}`}
              aria-current={s === state ? 'true' : undefined}
            >
              {s}
            </a>
          ))}
        </nav>
      </div>
      <div class="grid">
        <Card title="The last 30 days" wide>
          <dl class="facts">
            <Fact name="Incidents">{kpis?.all.incidents ?? '–'}</Fact>
            <Fact name="Still open">{kpis?.all.open ?? '–'}</Fact>
            <Fact name="Noticed after" title="median">
              {median('mttd')}
            </Fact>
            <Fact name="Acknowledged after" title="median">
              {median('mtta')}
            </Fact>
            <Fact name="Over after" title="median">
              {median('mttr')}
            </Fact>
          </dl>
        </Card>
        <Card
          title={state === 'all' ? 'All' : state[0]!.toUpperCase() + state.slice(1)}
          wide
          more={read.data ? `${read.data.length} shown` : ''}
        >
          <Await of={read} lines={8}>
            {(all) =>
              all.length === 0 ? (
                <Nothing>None{state === 'all' ? ' so far' : ` is ${state}`}.</Nothing>
              ) : (
                <Scroll label="incidents">
                  <table class="fold">
                    <thead>
                      <tr>
                        <th />
                        <th>What</th>
                        <th>State</th>
                        <th>Service</th>
                        <th>Began</th>
                        <th class="n">Lasted</th>
                        <th>Commander</th>
                      </tr>
                    </thead>
                    <tbody>
                      {all.map((i) => (
                        <tr key={i.id}>
                          <td>
                            <Severity of={i.severity} />
                          </td>
                          <td class="text full">
                            <a class="name clip" href={to('incidents', i.id)}>
                              {i.title}
                            </a>
                            <small>{i.id}</small>
                          </td>
                          <td>
                            <IncidentMark state={i.state} />
                          </td>
                          <td>{i.service}</td>
                          <td>
                            <Time at={i.began} />
                          </td>
                          <td class="n nophone">{lasted(i)}</td>
                          <td class="nophone">
                            {i.roles.commander || <span class="dim">nobody</span>}
                          </td>
                        </tr>
                      ))}
                    </tbody>
                  </table>
                </Scroll>
              )
            }
          </Await>
        </Card>
      </div>
    </>
  );
}
