// What a query found: its rows, and how they lie in time.
import type { Found } from '../ask_logs';
import { bytes, clock, count, utc } from '../format';
import { Mark, Time } from '../ui/marks';
import { Card, Nothing, Scroll } from '../ui/parts';

const kMostShown = 500;
const isTime = (v: unknown) => typeof v === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(v);

function Histogram({ answer, column }: { answer: Found; column: string }) {
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

export function QueryResult({ answer, busy }: { answer: Found; busy: boolean }) {
  if (answer.plan)
    return (
      <Card title="Plan" wide>
        <pre class="block" tabIndex={0}>
          {answer.plan}
        </pre>
      </Card>
    );
  const column = answer.columns.find((c) => answer.data.some((r) => isTime(r[c])));
  const numeric = (c: string) =>
    answer.data.every((r) => r[c] === null || typeof r[c] === 'number');
  const end = answer.end;
  return (
    <Card
      title="Result"
      wide
      more={
        end ? (
          <>
            {count(end.rows)} rows · {end.files} files · {bytes(end.bytes_scanned)} in{' '}
            {end.elapsed_ms} ms · {end.nodes_ok.join(', ')}{' '}
            {end.complete ? (
              <Mark tone="ok" quiet>
                complete
              </Mark>
            ) : (
              <Mark tone="warn">something is missing</Mark>
            )}
          </>
        ) : (
          <>
            {count(answer.data.length + answer.beyond)} rows{' '}
            <Mark tone={busy ? 'info' : 'warn'} quiet={busy}>
              {busy ? 'so far' : 'not whole'}
            </Mark>
          </>
        )
      }
    >
      {end?.notes.map((n, i) => (
        <p key={i} class="dim">
          {n}
        </p>
      ))}
      {column && answer.data.length > 2 && <Histogram answer={answer} column={column} />}
      {answer.data.length === 0 ? (
        <Nothing>{end ? 'No line matches.' : 'Nothing was found so far.'}</Nothing>
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
      {answer.data.length > kMostShown && (
        <p class="dim">
          The first {kMostShown} rows are shown
          {answer.beyond ? `; the bars are of the first ${count(answer.data.length)}` : ''}.
        </p>
      )}
    </Card>
  );
}
