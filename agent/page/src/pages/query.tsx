// Asking the logs where they lie. A query is in the address, so a link shares it; the token is not.
import { useEffect, useRef, useState } from 'preact/hooks';
import { Refused, credentials, write } from '../api';
import { useData } from '../data';
import { bytes, clock, count, span, utc } from '../format';
import type { QueryAnswer, StandingQuery, Status } from '../model';
import { to } from '../router';
import { Mark, Time } from '../ui/marks';
import { Await, Card, Nothing, Scroll } from '../ui/parts';
import { Editor, type Wrong } from '../ui/editor';
import { ask } from '../ui/write';

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
const kMostShown = 500,
  kMostSaved = 30;
const isTime = (v: unknown) => typeof v === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(v);

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

function Histogram({ answer, column }: { answer: QueryAnswer; column: string }) {
  const kBars = 60;
  const amount = answer.columns.find(
    (c) =>
      c !== column &&
      answer.data.some((r) => typeof r[c] === 'number') &&
      /^(n|count|c|total)$|count/.test(c),
  );
  const points = answer.data
    .filter((r) => isTime(r[column]))
    .map((r) => ({ at: Date.parse(r[column] as string), n: amount ? Number(r[amount] ?? 0) : 1 }));
  const first = Math.min(...points.map((p) => p.at)),
    last = Math.max(...points.map((p) => p.at));
  const bars = Array.from({ length: Math.min(kBars, amount ? points.length : kBars) }, () => 0);
  for (const p of points)
    bars[
      Math.min(
        bars.length - 1,
        Math.floor(((p.at - first) / Math.max(1, last - first)) * bars.length),
      )
    ]! += p.n;
  const most = Math.max(1, ...bars);
  return (
    <figure
      aria-label={`${amount ?? 'rows'} over ${column}, from ${clock(first)} to ${clock(last)}, at most ${most} in a bar`}
    >
      <div class="histogram" aria-hidden="true">
        {bars.map((n, i) => (
          <span
            key={i}
            style={{ height: `${(n / most) * 100}%` }}
            title={`${clock(first + ((last - first) * i) / bars.length)}: ${n}`}
          />
        ))}
      </div>
      <div class="between">
        <span title={utc(first)}>{clock(first)}</span>
        <span>
          {amount ?? 'rows'} over {column}, at most {count(most)}
        </span>
        <span title={utc(last)}>{clock(last)}</span>
      </div>
    </figure>
  );
}

const cellOf = (v: unknown) =>
  v === null || v === undefined ? (
    <span class="dim">null</span>
  ) : isTime(v) ? (
    <Time at={v as string} />
  ) : typeof v === 'object' ? (
    JSON.stringify(v)
  ) : (
    String(v)
  );

function Result({ answer }: { answer: QueryAnswer }) {
  const column = answer.columns.find((c) => answer.data.some((r) => isTime(r[c])));
  const numeric = (c: string) =>
    answer.data.every((r) => r[c] === null || typeof r[c] === 'number');
  return (
    <Card
      title="Result"
      wide
      more={
        <>
          {count(answer.rows)} rows · {answer.files} files · {bytes(answer.bytes_scanned)} in{' '}
          {answer.elapsed_ms} ms · {answer.nodes_ok.join(', ')}{' '}
          {answer.complete ? (
            <Mark tone="ok" quiet>
              complete
            </Mark>
          ) : (
            <Mark tone="warn">something is missing</Mark>
          )}
        </>
      }
    >
      {answer.notes.map((n, i) => (
        <p key={i} class="dim">
          {n}
        </p>
      ))}
      {column && answer.data.length > 2 && <Histogram answer={answer} column={column} />}
      {answer.data.length === 0 ? (
        <Nothing>No line matches.</Nothing>
      ) : (
        <Scroll label="rows of the result">
          <table class="result">
            <thead>
              <tr>
                {answer.columns.map((c) => (
                  <th key={c} class={numeric(c) ? 'n' : ''}>
                    {c}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {answer.data.slice(0, kMostShown).map((r, i) => (
                <tr key={i}>
                  {answer.columns.map((c) => (
                    <td key={c} class={numeric(c) ? 'n' : ''}>
                      {cellOf(r[c])}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
      {answer.data.length > kMostShown && <p class="dim">The first {kMostShown} rows are shown.</p>}
    </Card>
  );
}

/** Runs one query at a time; the newest wins. */
function useRun(text: string) {
  const [answer, got] = useState<QueryAnswer | null>(null);
  const [problem, tell] = useState('');
  const [since, begin] = useState(0);
  const stop = useRef<AbortController | null>(null);
  async function send() {
    stop.current?.abort();
    const mine = (stop.current = new AbortController());
    tell('');
    begin(Date.now());
    try {
      got(
        await write<QueryAnswer>(
          '/api/query',
          { sql: text, output: 'json' },
          { signal: mine.signal },
        ),
      );
    } catch (e) {
      if (mine.signal.aborted) return;
      if (e instanceof Refused && (e.status === 401 || e.status === 403)) {
        credentials.forget();
        signIn();
      }
      tell((e as Error).message);
    }
    if (stop.current === mine) begin(0);
  }
  function signIn() {
    ask({
      title: 'Who asks?',
      says: 'Queries read raw lines, so the agent wants its token.',
      path: '/api/query',
      body: () => ({ sql: text, output: 'json' }),
      button: 'Run',
      done: (a) => {
        tell('');
        got(a as QueryAnswer);
      },
    });
  }
  const run = () => {
    history.replaceState(null, '', `${to('query')}?sql=${encodeURIComponent(text)}`);
    if (credentials.token) void send();
    else signIn();
  };
  const cancel = () => {
    stop.current?.abort();
    begin(0);
  };
  useEffect(() => cancel, []);
  return { answer, problem, since, run, cancel, tell };
}

function Elapsed({ since }: { since: number }) {
  const [, redraw] = useState(0);
  useEffect(() => {
    if (!since) return undefined;
    const timer = setInterval(() => redraw((n) => n + 1), 500);
    return () => clearInterval(timer);
  }, [since]);
  return <>{since ? `asking for ${span((Date.now() - since) / 1000)}` : ''}</>;
}

export function Query({ sql }: { sql: string | null }) {
  const [text, change] = useState(sql ?? kFirst);
  const [kept, keep] = useState(saved.all());
  const [copied, tellCopied] = useState(false);
  const { answer, problem, since, run, cancel, tell } = useRun(text);
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
  const share = async () => {
    const link = `${location.origin}/${to('query')}?sql=${encodeURIComponent(text)}`;
    history.replaceState(null, '', link);
    try {
      await navigator.clipboard.writeText(link);
      tellCopied(true);
    } catch {
      tellCopied(false);
    }
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
          <div
            class={since ? 'progress' : 'progress still'}
            role={since ? 'progressbar' : undefined}
            aria-label={since ? 'the query runs' : undefined}
          >
            <span />
          </div>
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
            <button
              onClick={() =>
                store([
                  { name: text.replace(/\s+/g, ' ').slice(0, 60), sql: text },
                  ...kept.filter((k) => k.sql !== text),
                ])
              }
            >
              Save
            </button>
            <button onClick={() => void share()}>{copied ? 'Link copied' : 'Link to share'}</button>
            <span class="dim">
              <Elapsed since={since} />
            </span>
          </div>
        </Card>
        {answer && <Result answer={answer} />}
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
