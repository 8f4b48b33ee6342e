// The nodes as this one hears them, and what this one costs and lags.
import { useData } from '../data';
import { bytes, count, ms, percent, span } from '../format';
import type { Fleet as Heard, FleetNode, Status } from '../model';
import { to } from '../router';
import { Budget } from '../ui/budget';
import { Mark, Time, type Tone } from '../ui/marks';
import { Await, Card, Fact, Nothing, Scroll } from '../ui/parts';

const kTones: Record<string, Tone> = { alive: 'ok', suspect: 'warn', silent: 'bad', left: 'none' };
const offset = (n: FleetNode) =>
  n.clock_offset_ms === null
    ? '–'
    : `${n.clock_offset_ms.toFixed(1)} ± ${(n.clock_uncertainty_ms ?? 0).toFixed(1)} ms`;

function Nodes({ of, slos }: { of: FleetNode[]; slos: Heard['slos'] }) {
  const lag = (name: string) =>
    Math.max(
      -1,
      ...slos.flatMap((s) =>
        s.nodes.filter((n) => n.node === name && n.good + n.bad > 0).map((n) => n.behind_s),
      ),
    );
  return (
    <Scroll label="nodes">
      <table class="fold">
        <thead>
          <tr>
            <th>Node</th>
            <th>State</th>
            <th>Role</th>
            <th class="n">Heard</th>
            <th class="n">Lag</th>
            <th class="n">Clock</th>
            <th class="n">Objectives</th>
            <th>Address</th>
          </tr>
        </thead>
        <tbody>
          {of.map((n) => (
            <tr key={n.node}>
              <td class="full">
                <b class="name">{n.node}</b>
                {n.self && <small>this one</small>}
              </td>
              <td class="far">
                <Mark tone={kTones[n.state] ?? 'none'}>
                  {n.state}
                  {n.isolated_since ? ', isolated' : ''}
                </Mark>
              </td>
              <td data-name="role">{n.role}</td>
              <td class="n" data-name="heard">
                {n.self ? '–' : `${span(n.heard_ago_s)} ago`}
              </td>
              <td class="n" data-name="lag">
                {lag(n.node) < 0 ? '–' : span(lag(n.node))}
              </td>
              <td class="n" data-name="clock">
                {offset(n)}
              </td>
              <td class="n nophone">{n.slos}</td>
              <td class="nophone mono">{n.address || '–'}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function Budgets({ of }: { of: Heard['slos'] }) {
  return (
    <Scroll label="budgets over all nodes">
      <table class="fold">
        <thead>
          <tr>
            <th>Objective</th>
            <th>Budget left</th>
            <th class="n">Events</th>
            <th>By node</th>
            <th>Complete</th>
          </tr>
        </thead>
        <tbody>
          {of.map((s) => (
            <tr key={s.slo}>
              <td class="full">
                <a class="name" href={to('service', s.service)}>
                  {s.slo}
                </a>
              </td>
              <td class="full">
                <Budget left={s.error_budget_remaining} />
              </td>
              <td class="n nophone">{count(s.total)}</td>
              <td class="nophone">
                {s.nodes.map((n) => `${n.node} ${count(n.good + n.bad)}`).join(' · ')}
              </td>
              <td class="far">
                {s.stale_nodes ? (
                  <Mark tone="warn">{s.stale_nodes} stale</Mark>
                ) : (
                  <Mark tone="ok" quiet>
                    yes
                  </Mark>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function Footprint({ s }: { s: Status }) {
  const lived = Math.max(1, (ms(s.now) - ms(s.started)) / 1000);
  return (
    <dl class="facts">
      <Fact name="Memory">
        {bytes(s.resident_bytes)}
        <small class="dim"> engine {bytes(s.engine_bytes)}</small>
      </Fact>
      <Fact name="CPU since start">
        {percent(s.cpu_seconds / lived, 2)}
        <small class="dim"> {s.cpu_seconds.toFixed(1)} s</small>
      </Fact>
      <Fact name="Behind the logs">{bytes(s.tailer.lag_bytes)}</Fact>
      <Fact name="Notices waiting">
        {s.notify.pending}
        <small class="dim">
          {' '}
          sent {s.notify.sent}, lost {s.notify.failed}
        </small>
      </Fact>
      <Fact name="Read">
        {bytes(s.tailer.bytes_read)}
        <small class="dim"> {s.tailer.files_open} files</small>
      </Fact>
      <Fact name="Store">
        {s.store ? (
          <>
            {bytes(s.store.file_bytes)}
            <small class="dim">
              {' '}
              {count(s.store.commits)} commits, {s.store.journal_rows} rows in the journal
            </small>
          </>
        ) : (
          '–'
        )}
      </Fact>
      <Fact name="Up">
        {span(lived)}
        <small class="dim"> boot {s.boot}</small>
      </Fact>
      <Fact name="Late, skewed, dropped">
        {s.counters.late} · {s.counters.skewed} · {s.counters.dropped_late}
      </Fact>
    </dl>
  );
}

function Sources({ of }: { of: Status['sources'] }) {
  const bad = (m: Record<string, number>) => Object.values(m).reduce((a, b) => a + b, 0);
  return (
    <Scroll label="sources">
      <table class="fold">
        <thead>
          <tr>
            <th>Source</th>
            <th>Format</th>
            <th class="n">Files</th>
            <th class="n">Records</th>
            <th class="n">Bytes</th>
            <th class="n">Malformed</th>
            <th class="n">Lag</th>
          </tr>
        </thead>
        <tbody>
          {of.map((s) => (
            <tr key={s.name}>
              <td class="full">
                <b class="name">{s.name}</b>
                <small>{s.service}</small>
              </td>
              <td class="far">{s.format}</td>
              <td class="n" data-name="files">
                {s.files}
              </td>
              <td class="n" data-name="records">
                {count(s.records)}
              </td>
              <td class="n nophone">{bytes(s.bytes)}</td>
              <td class="n" data-name="malformed">
                {bad(s.malformed) ? (
                  <Mark tone="warn" quiet>
                    {count(bad(s.malformed))}
                  </Mark>
                ) : (
                  0
                )}
              </td>
              <td class="n nophone">{bytes(s.lag_bytes)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

export function Fleet() {
  const fleet = useData<Heard>('/api/fleet');
  const status = useData<Status>('/api/status');
  const alone = fleet.problem?.status === 404;
  return (
    <>
      <div class="head">
        <h1>Fleet</h1>
        {status.data && (
          <Mark tone={status.data.ready ? 'ok' : 'warn'}>
            {status.data.node} {status.data.ready ? 'is ready' : status.data.not_ready_reason}
          </Mark>
        )}
        {fleet.data?.isolated && <Mark tone="warn">isolated</Mark>}
      </div>
      <div class="grid">
        <Card title="Nodes" wide more={fleet.data && `${fleet.data.nodes.length} known`}>
          {alone ? (
            <Nothing>This agent has no peers: it watches its own node alone.</Nothing>
          ) : (
            <Await of={fleet} lines={4}>
              {(f) => <Nodes of={f.nodes} slos={f.slos} />}
            </Await>
          )}
        </Card>
        <Card
          title="What this node costs"
          wide
          more={
            status.data && (
              <>
                counted up to <Time at={status.data.watermark} />
              </>
            )
          }
        >
          <Await of={status} lines={4}>
            {(s) => (
              <>
                <Footprint s={s} />
                {s.governor.backing_off && (
                  <p>
                    <Mark tone="warn">backs off: {s.governor.reason}</Mark>
                  </p>
                )}
                {(s.store?.trouble || s.store?.in_memory) && (
                  <p class="problem">{s.store.trouble || s.store.in_memory}</p>
                )}
              </>
            )}
          </Await>
        </Card>
        {!alone && (
          <Card title="Budgets over all nodes" wide>
            <Await of={fleet} lines={8}>
              {(f) => <Budgets of={f.slos} />}
            </Await>
          </Card>
        )}
        <Card title="What it reads" wide>
          <Await of={status} lines={8}>
            {(s) => <Sources of={s.sources} />}
          </Await>
        </Card>
      </div>
    </>
  );
}
