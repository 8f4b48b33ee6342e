// Asking the logs where they lie. A query is in the address, so a link shares it; the token is not.
import { useEffect, useState } from 'preact/hooks';
import { useAsking, type Asking } from '../ask_logs';
import { useData } from '../data';
import { bytes, count, percent, span } from '../format';
import type { QueryProgress, StandingQuery, Status } from '../model';
import { to } from '../router';
import { Await, Card, Nothing } from '../ui/parts';
import { Editor, type Wrong } from '../ui/editor';
import { ask } from '../ui/write';
import { QueryResult } from './query_result';
import { Link, SavedForAll, addressOf, saveForAll } from './query_saved';

const kFirst = "SELECT level, count(*) AS n\nFROM logs('*')\nGROUP BY level\nORDER BY n DESC";
const kExamples: [string, string][] = [
  [
    'errors by service',
    "SELECT service, count(*) AS n\nFROM logs('*')\nWHERE level = 'ERROR'\nGROUP BY service\nORDER BY n DESC",
  ],
  [
    'newest errors',
    "SELECT ts, service, message\nFROM logs('*')\nWHERE level = 'ERROR'\nORDER BY ts DESC\nLIMIT 100",
  ],
  [
    'per minute',
    "SELECT bucket(ts, '1m') AS minute, count(*) AS n\nFROM logs('*')\nGROUP BY bucket(ts, '1m')\nORDER BY minute",
  ],
];
const kMostSaved = 30;

const saved = {
  all(): { name: string; sql: string }[] {
    try {
      return JSON.parse(localStorage.getItem('nines.queries') ?? '[]') as [];
    } catch {
      return [];
    }
  },
  keep(of: { name: string; sql: string }[]) {
    localStorage.setItem('nines.queries', JSON.stringify(of.slice(0, kMostSaved)));
  },
};

function wrongOf(message: string): Wrong | null {
  const found = /line (\d+), column (\d+)/.exec(message);
  return found && { line: Number(found[1]), column: Number(found[2]) };
}

const whole = (p: QueryProgress) =>
  [p, ...(p.nodes ?? [])].reduce(
    (sum, one) => ({
      done: sum.done + one.bytes_done,
      total: sum.total + one.bytes_total,
    }),
    { done: 0, total: 0 },
  );

function Progress({ of }: { of: Asking }) {
  const [, redraw] = useState(0);
  useEffect(() => {
    if (!of.since) return undefined;
    const timer = setInterval(() => redraw((n) => n + 1), 500);
    return () => clearInterval(timer);
  }, [of.since]);
  const p = of.progress;
  const { done, total } = p ? whole(p) : { done: 0, total: 0 };
  const share = of.since && total > 0 ? Math.min(1, done / total) : null;
  const left = p?.nodes?.filter((n) => n.state !== 'done' && n.state !== 'failed').length;
  const says = [
    p?.state === 'waiting' ? 'waits for others' : '',
    share === null ? '' : `${percent(share, 0)}, ${bytes(done)} of ${bytes(total)}`,
    p && p.state === 'running' ? `${count(p.rows)} rows` : '',
    left ? `${left} nodes at work` : '',
    of.since ? span((Date.now() - of.since) / 1000) : '',
  ];
  return (
    <>
      <div
        class={!of.since ? 'progress still' : share === null ? 'progress' : 'progress known'}
        role={of.since ? 'progressbar' : undefined}
        aria-label={of.since ? 'the query runs' : undefined}
        aria-valuenow={share === null ? undefined : Math.round(share * 100)}
      >
        <span style={{ width: share === null ? '' : `${share * 100}%` }} />
      </div>
      <p class="says dim">{of.since ? says.filter(Boolean).join(' · ') : ''}</p>
    </>
  );
}

export function Query({ sql, saved: wanted }: { sql: string | null; saved: string | null }) {
  const [text, change] = useState(sql ?? kFirst);
  const [kept, keep] = useState(saved.all());
  const asking = useAsking((wanted) =>
    ask({
      title: 'Who asks?',
      says: 'Queries read raw lines, so the agent wants its token.',
      path: '/api/query',
      body: () => ({}),
      send: () => asking.begin(wanted),
      button: 'Run',
    }),
  );
  const { found, problem, since, cancel, tell } = asking;
  const run = () => {
    history.replaceState(null, '', `${to('query')}?sql=${encodeURIComponent(text)}`);
    asking.run(text);
  };
  const sources = useData<Status>('/api/status').data?.sources.map((s) => s.name) ?? [];
  const named = sources.filter((name) => !name.includes('/')); // files of an SLO have no name
  const standing = useData<StandingQuery[]>('/api/queries');
  const store = (all: typeof kept) => {
    saved.keep(all);
    keep(all);
  };
  const edit = (value: string) => {
    change(value);
    if (problem) tell('');
  };
  return (
    <>
      <div class="head">
        <h1>Query</h1>
        <p class="sub">
          Reads the logs where they lie, on this node. Ctrl Enter runs, Ctrl Space completes.
        </p>
      </div>
      <div class="grid">
        <Card
          title="Query"
          wide
          more={
            <span class="chips">
              {kExamples.map(([name, example]) => (
                <button key={name} onClick={() => edit(example)}>
                  {name}
                </button>
              ))}
            </span>
          }
        >
          <Editor
            text={text}
            change={edit}
            wrong={problem ? wrongOf(problem) : null}
            sources={named}
            run={run}
          />
          <Progress of={asking} />
          <pre class="problem" id="query-problem" role="alert">
            {problem}
          </pre>
          <div class="buttons below">
            {since ? (
              <button onClick={cancel}>Stop</button>
            ) : (
              <button class="main" onClick={run}>
                Run
              </button>
            )}
            <button onClick={() => saveForAll(text)}>Save for all…</button>
            <button
              onClick={() =>
                store([
                  { name: text.replace(/\s+/g, ' ').slice(0, 60), sql: text },
                  ...kept.filter((k) => k.sql !== text),
                ])
              }
            >
              Save here
            </button>
            <Link
              address={() => addressOf(`sql=${encodeURIComponent(text)}`)}
              text="Link to share"
            />
          </div>
        </Card>
        {found && <QueryResult answer={found} busy={since > 0} />}
        <SavedForAll open={edit} wanted={wanted} />
        <Card title="Saved here" more="in this browser">
          {kept.length ? (
            <ul class="rows">
              {kept.map((k) => (
                <li key={k.sql}>
                  <button onClick={() => edit(k.sql)}>Open</button>
                  <div class="what mono one">{k.name}</div>
                  <button
                    class="plain"
                    aria-label={`forget ${k.name}`}
                    onClick={() => store(kept.filter((o) => o !== k))}
                  >
                    ✕
                  </button>
                </li>
              ))}
            </ul>
          ) : (
            <Nothing>None yet.</Nothing>
          )}
        </Card>
        <Card title="Standing queries" more="of the agent's configuration">
          <Await of={standing}>
            {(all) =>
              all.length ? (
                <ul class="rows">
                  {all.map((q) => (
                    <li key={q.name}>
                      {typeof q.sql === 'string' ? (
                        <button onClick={() => edit(q.sql!)}>Open</button>
                      ) : (
                        <span />
                      )}
                      <div class="what">
                        <b>{q.name}</b>
                        {q.error && <p class="problem">{q.error}</p>}
                      </div>
                      <div class="when">{q.every}</div>
                    </li>
                  ))}
                </ul>
              ) : (
                <Nothing>None is configured.</Nothing>
              )
            }
          </Await>
        </Card>
      </div>
    </>
  );
}
