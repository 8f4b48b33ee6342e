// The agent's events: each says which answers are no longer true. Where there are none (an older
// agent, too many readers) the page asks from time to time instead.
import { agent, refresh, refreshAll } from './data';

const kReads: Record<string, string[]> = {
  tick: [
    '/api/slo$',
    '/api/incidents',
    '/api/burn',
    '/api/status',
    '/api/summary',
    '/api/services',
    '/api/queries',
    '/api/outbox',
  ],
  slo: ['/api/slo$', '/api/gate', '/api/summary', '/api/services', '/api/forecast'],
  alert: ['/api/alerts', '/api/slo$', '/api/oncall'],
  incident: ['/api/incidents', '/api/kpis', '/api/timeline', '/api/oncall', '/api/summary'],
  remedy: ['/api/remedies'],
  fleet: ['/api/fleet', '/api/status'],
  change: ['/api/changes', '/api/burn'],
};

function tell(live: boolean) {
  if (agent.live === live) return;
  agent.live = live;
  agent.users.forEach((user) => user());
}

let events: EventSource | null = null;
let later = 0;

function open() {
  clearTimeout(later);
  events = new EventSource('/api/events');
  events.addEventListener('hello', (e) => {
    tell(true);
    const { resumed } = JSON.parse((e as MessageEvent<string>).data) as { resumed?: boolean };
    if (!resumed) refreshAll();
  });
  for (const [kind, paths] of Object.entries(kReads)) {
    events.addEventListener(kind, () => refresh(...paths));
  }
  events.onerror = () => {
    tell(false);
    refresh('/api/status'); // is it the stream, or the agent?
    if (events?.readyState === EventSource.CLOSED) later = window.setTimeout(open, 60_000); // refused
  };
}

function close() {
  clearTimeout(later);
  events?.close();
  events = null;
  tell(false);
}

/** Only while it is looked at: browsers have few connections for all tabs, the agent few for all. */
export function listen() {
  open();
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) close();
    else if (!events) open();
  });
}
