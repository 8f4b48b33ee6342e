// What may be done by itself: rules on their way from a draft to acting alone, what waits for a
// person, what was done and whether it helped.
import { refresh, useData } from '../data';
import { percent, span } from '../format';
import type { Act, Audit, Effect, Lesson, Remedies, RemedyRule } from '../model';
import { to } from '../router';
import { Mark, Shape, Time, type Tone } from '../ui/marks';
import { Await, Card, Nothing, Scroll } from '../ui/parts';
import { ask } from '../ui/write';

const kColumns: [string, string, string, string][] = [
  // state, what it means, what may follow, its button
  ['draft', 'written, does nothing', 'shadow', 'Watch in shadow…'],
  ['shadow', 'says what it would do', 'approve', 'Approve…'],
  ['approved', 'asks each time', 'auto', 'Let it act alone…'],
  ['auto', 'acts by itself', '', ''],
];
const kPhases: Record<string, Tone> = {
  begun: 'watch',
  done: 'watch',
  helped: 'ok',
  settled: 'ok',
  'did not help': 'bad',
  'in doubt': 'warn',
  'not done': 'none',
};

function say(title: string, button: string, body: Record<string, string>, needsText?: string) {
  ask({
    title,
    button,
    path: '/api/remedies',
    ...(needsText !== undefined ? { needsText } : {}),
    body: (text, who) => ({ ...body, who, ...(needsText !== undefined ? { text } : {}) }),
    done: () => refresh('/api/remedies', '/api/incidents'),
  });
}

function Outcome({ rule }: { rule: string }) {
  const e = useData<Effect>(`/api/remedies/effect?rule=${encodeURIComponent(rule)}`, 30_000).data;
  if (!e || e.n === 0) return <small class="dim">not tried yet</small>;
  const low = e.success_95[0];
  return (
    <small>
      helped {e.good} of {e.n} times, at least {percent(low, 0)}
      {e.median_recover_s !== null && `, over after ${span(e.median_recover_s)}`}
      {e.toil_saved_s_month > 0 && `, saves ${span(e.toil_saved_s_month)} a month`}
    </small>
  );
}

function Rule({ r, next, button }: { r: RemedyRule; next: string; button: string }) {
  return (
    <article class="rulecard">
      <b>{r.rule}</b>
      <span class="mono">{r.action}</span>
      <small class="dim">against {r.signature || `anything of ${r.service}`}</small>
      {r.state === 'shadow' && (
        <small>would have acted {r.shadow_hits === 1 ? 'once' : `${r.shadow_hits} times`}</small>
      )}
      {r.failures_in_a_row > 0 && (
        <Mark tone="warn" quiet>
          {r.failures_in_a_row} failures in a row
        </Mark>
      )}
      {(r.state === 'approved' || r.state === 'auto') && <Outcome rule={r.rule} />}
      <div class="buttons">
        {next && (
          <button
            onClick={() =>
              say(`${button.replace('…', '')}: ${r.rule}`, 'Say so', { do: next, rule: r.rule })
            }
          >
            {button}
          </button>
        )}
        {(r.state === 'approved' || r.state === 'auto') && (
          <button
            onClick={() =>
              say(`Take ${r.rule} one step back`, 'Demote', { do: 'demote', rule: r.rule }, 'Why?')
            }
          >
            Demote…
          </button>
        )}
        {r.state === 'draft' && (
          <button onClick={() => say(`Remove ${r.rule}`, 'Remove', { do: 'remove', rule: r.rule })}>
            Remove…
          </button>
        )}
      </div>
    </article>
  );
}

function Waiting({ of, rules }: { of: Remedies['waiting']; rules: RemedyRule[] }) {
  const approved = (name: string) => rules.some((r) => r.rule === name && r.state === 'approved');
  if (of.length === 0) return <Nothing>Nothing waits for a person.</Nothing>;
  return (
    <ul class="rows">
      {of.map((w) => (
        <li key={w.rule + w.incident + w.target}>
          <Shape tone="watch" />
          <div class="what">
            <b>{w.rule}</b> would act on <span class="mono">{w.target}</span>
            <p>
              {w.why || 'it is about to act'} ·{' '}
              <a href={to('incidents', w.incident)}>{w.incident}</a>
            </p>
          </div>
          <div class="when">
            {approved(w.rule) && (
              <button
                onClick={() =>
                  say(`Allow ${w.rule} once`, 'Allow once', {
                    do: 'allow',
                    rule: w.rule,
                    incident: w.incident,
                    target: w.target,
                  })
                }
              >
                Allow once…
              </button>
            )}
          </div>
        </li>
      ))}
    </ul>
  );
}

function Acts({ of }: { of: Act[] }) {
  if (of.length === 0) return <Nothing>Nothing was done yet.</Nothing>;
  return (
    <Scroll label="acts">
      <table class="fold">
        <thead>
          <tr>
            <th>What</th>
            <th>Became</th>
            <th>Rule</th>
            <th>Incident</th>
            <th>At</th>
            <th />
          </tr>
        </thead>
        <tbody>
          {[...of]
            .reverse()
            .slice(0, 50)
            .map((a) => (
              <tr key={a.id}>
                <td class="full">
                  <span class="name">{a.action}</span>
                  <small>{a.target}</small>
                </td>
                <td class="far">
                  <Mark tone={kPhases[a.phase] ?? 'none'}>{a.phase}</Mark>
                </td>
                <td>{a.rule}</td>
                <td>
                  <a href={to('incidents', a.incident)}>{a.incident}</a>
                </td>
                <td>
                  <Time at={a.at} />
                </td>
                <td>
                  {a.phase === 'in doubt' && (
                    <button
                      onClick={() =>
                        say(
                          `Settle ${a.id}`,
                          'Settle',
                          { do: 'settle', act: a.id },
                          'What did you find?',
                        )
                      }
                    >
                      Settle…
                    </button>
                  )}
                </td>
              </tr>
            ))}
        </tbody>
      </table>
    </Scroll>
  );
}

export function Remediation() {
  const read = useData<Remedies>('/api/remedies');
  const lessons = useData<Lesson[]>('/api/remedies/lessons', 60_000);
  const audit = useData<Audit>('/api/remedies/audit', 60_000).data;
  const r = read.data;
  return (
    <>
      <div class="head">
        <h1>Remediation</h1>
        {r && (
          <Mark tone={!r.enabled ? 'none' : r.stopped ? 'bad' : r.breaker_open ? 'warn' : 'ok'}>
            {!r.enabled
              ? 'not enabled'
              : r.stopped
                ? 'stopped'
                : r.breaker_open
                  ? 'too many failures: it holds'
                  : 'may act within its rules'}
          </Mark>
        )}
        {r?.enabled && (
          <div class="buttons">
            {r.stopped ? (
              <button
                class="main"
                onClick={() =>
                  say('Go on with remediation', 'Go on', { do: 'resume' }, 'Why is it safe again?')
                }
              >
                Go on…
              </button>
            ) : (
              <button
                onClick={() => say('Stop all remediation', 'Stop it', { do: 'stop' }, 'Why?')}
              >
                Stop everything…
              </button>
            )}
          </div>
        )}
      </div>
      {read.problem && !r && (
        <Nothing>
          {read.problem.status === 404
            ? 'Remediation is not configured on this agent.'
            : read.problem.message}
        </Nothing>
      )}
      <div class="grid">
        <Card title="Rules" wide more="from left to right they may do more">
          <Await of={read} lines={6}>
            {(all) => (
              <div class="board">
                {kColumns.map(([state, means, next, button]) => {
                  const mine = all.rules.filter((x) => x.state === state);
                  return (
                    <div class="column" key={state}>
                      <h3>
                        <span>{state}</span>
                        <span class="num">{mine.length}</span>
                      </h3>
                      <small>{means}</small>
                      {mine.map((x) => (
                        <Rule key={x.rule} r={x} next={next} button={button} />
                      ))}
                    </div>
                  );
                })}
              </div>
            )}
          </Await>
        </Card>
        <Card title="Waits for a person">
          <Await of={read}>{(all) => <Waiting of={all.waiting} rules={all.rules} />}</Await>
        </Card>
        <Card title="What history teaches">
          <Await of={lessons}>
            {(all) =>
              all.length ? (
                <ul class="rows">
                  {all.slice(0, 8).map((l) => (
                    <li key={l.signature + l.action}>
                      <Mark tone={l.standing === 'proven' ? 'ok' : 'none'} quiet>
                        {l.standing}
                      </Mark>
                      <div class="what">
                        <b class="mono">{l.action}</b>
                        <p>
                          against {l.signature}: worked {l.good} of {l.n} times
                          {l.success_low !== null && `, at least ${percent(l.success_low, 0)}`}
                        </p>
                      </div>
                    </li>
                  ))}
                </ul>
              ) : (
                <Nothing>Too few actions with an outcome are known yet.</Nothing>
              )
            }
          </Await>
        </Card>
        <Card
          title="What was done"
          wide
          more={
            audit && (
              <span title={audit.head_hash}>
                {audit.whole ? (
                  <Mark tone="ok" quiet>
                    audit log of {audit.head} records is whole
                  </Mark>
                ) : (
                  <Mark tone="bad">audit log is broken at {audit.first_fault}</Mark>
                )}
              </span>
            )
          }
        >
          <Await of={read}>{(all) => <Acts of={all.acts} />}</Await>
        </Card>
      </div>
    </>
  );
}
