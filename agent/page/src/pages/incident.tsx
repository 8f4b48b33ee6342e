// One incident: who is suspected, in what order it went, what was done, what is to be learned.
import { useState } from 'preact/hooks';
import { refresh, useData } from '../data';
import { ms, span, words } from '../format';
import type { Entry, Incident as Found, Timeline } from '../model';
import { to } from '../router';
import { suspectsOf } from '../suspects';
import { Lanes, toneOfKind } from '../ui/lanes';
import { IncidentMark, Mark, Severity, Shape, Time } from '../ui/marks';
import { Await, Card, Fact, Nothing, Skeleton } from '../ui/parts';
import { ask, type Deed } from '../ui/write';
import { Review } from './incident_review';

const pathOf = (id: string) => `/api/incidents/${encodeURIComponent(id)}` as const;

function deed(
  i: Found,
  what: string,
  title: string,
  button: string,
  more: Partial<Deed> & { body?: Deed['body'] } = {},
) {
  ask({
    title: `${title} ${i.id}`,
    path: pathOf(i.id),
    button,
    needsText: 'What is to be noted (may be empty)',
    body: (text, who) => ({ do: what, who, text }),
    done: () => refresh('/api/incidents', '/api/status', '/api/timeline'),
    ...more,
  });
}

function Buttons({ i }: { i: Found }) {
  const over = i.state === 'resolved';
  return (
    <div class="buttons">
      {!i.acknowledged && !over && (
        <button class="main" onClick={() => deed(i, 'acknowledge', 'Acknowledge', 'Acknowledge')}>
          Acknowledge…
        </button>
      )}
      {!over && i.state !== 'mitigated' && (
        <button onClick={() => deed(i, 'mitigate', 'Mitigated:', 'It is mitigated')}>
          Mitigate…
        </button>
      )}
      {!over && (
        <button
          onClick={() =>
            deed(i, 'resolve', 'Resolve', 'Resolve', { needsText: 'How was it solved?' })
          }
        >
          Resolve…
        </button>
      )}
      {over && <button onClick={() => deed(i, 'reopen', 'Reopen', 'Reopen')}>Reopen…</button>}
      <button onClick={() => deed(i, 'note', 'A note on', 'Write', { needsText: 'Note' })}>
        Note…
      </button>
      <button
        onClick={() =>
          deed(i, 'action', 'What was done about', 'Write', {
            needsText: 'What was done',
            body: (text, who) => ({ do: 'action', who, text, details: { outcome: 'unknown' } }),
          })
        }
      >
        Action…
      </button>
      {!i.roles.commander && !over && (
        <button
          onClick={() =>
            deed(i, 'assign', 'Take command of', 'I take command', {
              says: 'You become its commander.',
              body: (_t, who) => ({ do: 'assign', who, role: 'commander', person: who, text: '' }),
            })
          }
        >
          Take command…
        </button>
      )}
    </div>
  );
}

function reveal(evidence: string) {
  const found = document.getElementById(evidence);
  const folded = found?.closest('details');
  if (folded) folded.open = true;
  found?.scrollIntoView({ block: 'center' });
}

const classOf = (i: Found) => (i.failure_class as { class?: string } | null)?.class ?? 'unknown';

function Suspects({ i }: { i: Found }) {
  const suspects = suspectsOf(i);
  return (
    <Card
      title="Suspects"
      more={classOf(i) !== 'unknown' ? <Mark tone="watch">{words(classOf(i))}</Mark> : undefined}
    >
      {suspects.length === 0 ? (
        <Nothing>Nobody is suspected yet. {i.failure_class?.text}</Nothing>
      ) : (
        <ol class="rows">
          {suspects.map(({ number, entry: { text, details } }) => (
            <li key={number}>
              <span class="severity">{details?.rank}</span>
              <div class="what">
                <b>{details?.service}</b>{' '}
                <a
                  class="dim"
                  href={`#${number}`}
                  onClick={(e) => {
                    e.preventDefault();
                    reveal(number);
                  }}
                >
                  {number}
                </a>
                <p>{text}</p>
                {details?.wrong_if && <p>Wrong if {details.wrong_if}</p>}
              </div>
            </li>
          ))}
        </ol>
      )}
    </Card>
  );
}

function Conditions({ i }: { i: Found }) {
  return (
    <Card title="What is wrong">
      <ul class="rows">
        {i.conditions.map((c) => (
          <li key={c.key}>
            <Shape tone={c.holds ? 'bad' : 'ok'} label={c.holds ? 'holds' : 'over'} />
            <div class="what">
              <b>{words(c.kind)}</b>{' '}
              <span class="dim">
                {c.service} on {c.node}
              </span>
              <p>{c.text}</p>
            </div>
            <div class="when">
              <Time at={c.since} />
            </div>
          </li>
        ))}
      </ul>
      {i.impact && (
        <p class="impact">
          <b>Impact.</b> {i.impact.text}
        </p>
      )}
    </Card>
  );
}

function Story({ id }: { id: string }) {
  const read = useData<Timeline>(`${pathOf(id)}/timeline`, 15_000);
  return (
    <Card
      title="Timeline"
      wide
      more={
        read.data &&
        `order as far as the clocks of ${read.data.nodes.length === 1 ? 'the node' : `${read.data.nodes.length} nodes`} tell`
      }
    >
      <Await of={read} lines={8}>
        {(t) =>
          t.events.length === 0 ? (
            <Nothing>Nothing was seen yet.</Nothing>
          ) : (
            <>
              <Lanes of={t} />
              <ol class="events" tabIndex={0} aria-label="events in order">
                {t.events.map((e, n) => (
                  <li key={n}>
                    <span class="num">
                      <Time at={e.time} />
                      {e.doubtful && <Shape tone="warn" label="its time is doubtful" />}
                    </span>
                    <Mark tone={toneOfKind(e.kind)} quiet>
                      {words(e.kind)}
                    </Mark>
                    <span>
                      <b>{e.node}</b> {e.text}
                    </span>
                  </li>
                ))}
              </ol>
            </>
          )
        }
      </Await>
    </Card>
  );
}

/** The first of them; the rest when asked for. */
function Entries({ of, most = 6 }: { of: (Entry & { kind?: string })[]; most?: number }) {
  const [all, show] = useState(false);
  return (
    <>
      <ul class="rows">
        {(all ? of : of.slice(0, most)).map((h, n) => (
          <li key={n}>
            <Shape tone="info" />
            <div class="what">
              {h.kind && <b>{words(h.kind)} </b>}
              {h.text}
            </div>
            <div class="when">
              {h.who || h.node}
              <br />
              <Time at={h.at} />
            </div>
          </li>
        ))}
      </ul>
      {of.length > most && (
        <button class="plain" onClick={() => show(!all)}>
          {all ? 'fewer' : `all ${of.length}`}
        </button>
      )}
    </>
  );
}

function Evidence({ i }: { i: Found }) {
  return (
    <Card title="Evidence" more={`${i.evidence.length} pieces`}>
      <details>
        <summary>What is known, numbered</summary>
        <ul class="rows">
          {i.evidence.map((e) => (
            <li key={e.number} id={e.number}>
              <span class="severity">{e.number}</span>
              <div class="what">
                <b>{words(e.entry.details?.part ?? e.kind)}</b>
                <p>{e.entry.text}</p>
              </div>
              <div class="when">
                {e.entry.node}
                <br />
                <Time at={e.entry.at} />
              </div>
            </li>
          ))}
        </ul>
      </details>
    </Card>
  );
}

export function Incident({ id }: { id: string }) {
  const read = useData<Found>(pathOf(id));
  const i = read.data;
  if (!i)
    return (
      <>
        <div class="head">
          <h1>{id}</h1>
        </div>
        {read.problem ? (
          <Nothing>
            {read.problem.message}. <a href={to('incidents')}>All incidents</a>
          </Nothing>
        ) : (
          <Skeleton lines={12} />
        )}
      </>
    );
  const done = [...i.actions, ...i.notes, ...i.causes].sort((a, b) => ms(b.at) - ms(a.at));
  return (
    <>
      <div class="head">
        <h1>{i.service || i.id}</h1>
        <Severity of={i.severity} />
        <IncidentMark state={i.state} />
        <span class="dim">{i.id}</span>
        <Buttons i={i} />
        <p class="sub">{i.title}</p>
      </div>
      <div class="grid">
        <Card title="State" wide>
          <dl class="facts">
            <Fact name="Began">
              <Time at={i.began} />
            </Fact>
            <Fact name="Noticed after">{span((ms(i.opened) - ms(i.began)) / 1000)}</Fact>
            <Fact name="Acknowledged">
              {i.acknowledged ? (
                <>
                  <Time at={i.acknowledged} /> <small>by {i.acknowledged_by}</small>
                </>
              ) : (
                <Mark tone="warn" quiet>
                  by nobody yet
                </Mark>
              )}
            </Fact>
            <Fact name="Mitigated">
              <Time at={i.mitigated} />
            </Fact>
            <Fact name="Resolved">
              <Time at={i.resolved} />
            </Fact>
            <Fact name="Commander">{i.roles.commander || '–'}</Fact>
            <Fact name="Nodes">{i.nodes.join(', ')}</Fact>
          </dl>
        </Card>
        <Suspects i={i} />
        <Conditions i={i} />
        <Story id={id} />
        <div class="stack six">
          <Card title="Actions and notes">
            {done.length ? (
              <Entries of={done} />
            ) : (
              <Nothing>Nothing was done or noted yet.</Nothing>
            )}
          </Card>
          <Card title="Action items">
            {i.action_items.length ? (
              <ul class="rows">
                {i.action_items.map((a, n) => (
                  <li key={n}>
                    <Shape tone={a.done ? 'ok' : 'watch'} label={a.done ? 'done' : 'open'} />
                    <div class="what">
                      {a.text}
                      <p>{a.owner}</p>
                    </div>
                    <div class="when">
                      <Time at={a.due} />
                    </div>
                  </li>
                ))}
              </ul>
            ) : (
              <Nothing>None yet.</Nothing>
            )}
          </Card>
          <Evidence i={i} />
        </div>
        <div class="stack six">
          <Card title="History">
            <Entries of={[...i.history].reverse()} />
          </Card>
        </div>
        <Review path={pathOf(id)} />
      </div>
    </>
  );
}
