// What is on screen and how it stays fresh: one entry a path, shared by all who show it. An entry
// keeps its last good answer, so pages stay readable while the agent is away. The agent's events say
// what to read again (live.ts); without them every entry is read again from time to time.
import { useEffect, useReducer } from 'preact/hooks';
import { Away, Refused, readText } from './api';
import type { ReadPath } from './model';

interface Entry {
  path: string;
  everyMs: number;
  text: string;
  data: unknown;
  readAt: number;
  problem: Refused | null;
  busy: boolean;
  again: boolean;
  timer: number;
  users: Set<() => void>;
}
export interface Shown<T> {
  data: T | undefined;
  problem: Refused | null;
  readAt: number;
}

const kMostEntries = 300;
const entries = new Map<string, Entry>();
export const agent = { awaySince: 0, live: false, users: new Set<() => void>() };

function tellAway(since: number) {
  if ((agent.awaySince === 0) === (since === 0)) return;
  agent.awaySince = since;
  agent.users.forEach((tell) => tell());
  if (since === 0) refreshAll();
}

function entryOf(path: string, everyMs: number): Entry {
  let entry = entries.get(path);
  if (!entry) {
    if (entries.size >= kMostEntries) {
      for (const [key, old] of entries)
        if (old.users.size === 0) {
          entries.delete(key);
          break;
        }
    }
    entry = {
      path,
      everyMs,
      text: '',
      data: undefined,
      readAt: 0,
      problem: null,
      busy: false,
      again: false,
      timer: 0,
      users: new Set(),
    };
    entries.set(path, entry);
  }
  return entry;
}

const isJson = (path: string) => !path.endsWith('/explain');

async function read(entry: Entry) {
  if (entry.busy) {
    entry.again = true;
    return;
  }
  entry.busy = true;
  entry.again = false;
  clearTimeout(entry.timer);
  try {
    const text = await readText(entry.path);
    const news = text !== entry.text || entry.problem !== null;
    entry.readAt = Date.now();
    if (news) {
      entry.text = text;
      entry.data = isJson(entry.path) ? JSON.parse(text) : text;
      entry.problem = null;
      entry.users.forEach((tell) => tell());
    }
    tellAway(0);
  } catch (e) {
    if (e instanceof Away) tellAway(agent.awaySince || Date.now());
    if (e instanceof Refused) {
      tellAway(0);
      entry.problem = e;
      entry.users.forEach((tell) => tell());
    }
  }
  entry.busy = false;
  if (entry.again) void read(entry);
  else plan(entry);
}

function plan(entry: Entry) {
  clearTimeout(entry.timer);
  if (entry.users.size === 0 || document.hidden) return;
  // With events the clock is only a safety net; while the agent is away it is what finds it again.
  const wait = agent.awaySince ? 2000 : agent.live ? entry.everyMs * 4 : entry.everyMs;
  entry.timer = window.setTimeout(() => void read(entry), wait * (0.9 + Math.random() * 0.2));
}

/** Reads again what is on screen and begins with one of these; with '$' at its end: is it. */
export function refresh(...beginnings: string[]) {
  const meant = (path: string) =>
    beginnings.some((b) => (b.endsWith('$') ? path === b.slice(0, -1) : path.startsWith(b)));
  for (const entry of entries.values()) {
    if (entry.users.size > 0 && meant(entry.path)) void read(entry);
  }
}
export const refreshAll = () => refresh('/');

document.addEventListener('visibilitychange', () => {
  if (!document.hidden) refreshAll();
});

function useRedraw(): () => void {
  return useReducer((n: number) => n + 1, 0)[1] as () => void;
}

/** What `path` answers, kept fresh. `null`: nothing is read (yet). */
export function useData<T>(path: ReadPath | null, everyMs = 10_000): Shown<T> {
  const redraw = useRedraw();
  useEffect(() => {
    if (path === null) return undefined;
    const entry = entryOf(path, everyMs);
    entry.users.add(redraw);
    if (Date.now() - entry.readAt > 1500) void read(entry);
    else plan(entry);
    return () => {
      entry.users.delete(redraw);
      if (entry.users.size === 0) clearTimeout(entry.timer);
    };
  }, [path]);
  const entry = path === null ? undefined : entries.get(path);
  return {
    data: entry?.data as T | undefined,
    problem: entry?.problem ?? null,
    readAt: entry?.readAt ?? 0,
  };
}

export function useAgent(): { awaySince: number; live: boolean } {
  const redraw = useRedraw();
  useEffect(() => {
    agent.users.add(redraw);
    return () => void agent.users.delete(redraw);
  }, []);
  return agent;
}

/** Draws again from time to time, for what says how long ago something was. */
export function useMinute() {
  const redraw = useRedraw();
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) redraw();
    }, 30_000);
    return () => clearInterval(timer);
  }, []);
}
