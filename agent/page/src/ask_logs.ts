// One query at a time: what of its answer has come, how far it is, and its end. A query that is
// stopped, or whose page is left, ends at the agent, too.
import { useEffect, useReducer, useRef } from 'preact/hooks';
import { Refused, credentials, lines } from './api';
import type { QueryEnd, QueryProgress } from './model';

export type Row = Record<string, unknown>;
export interface Found {
  columns: string[];
  data: Row[];
  beyond: number; // rows that came after those that are kept
  plan: string;
  end: QueryEnd | null; // null: there may be more, or it was cut
}
export interface Asking {
  found: Found | null;
  progress: QueryProgress | null;
  problem: string;
  since: number; // 0: nothing is asked
}

const kMostKept = 20_000;
const kDrawMs = 150;
const nothing = (): Found => ({ columns: [], data: [], beyond: 0, plan: '', end: null });

interface Line {
  _progress?: QueryProgress;
  _answer?: QueryEnd;
  _problem?: { detail: string };
  _plan?: string;
}

function take(line: Line & Row, to: Asking) {
  const found = to.found!;
  if (line._progress) to.progress = line._progress;
  else if (line._answer) found.end = line._answer;
  else if (line._problem) to.problem = line._problem.detail;
  else if (line._plan !== undefined) found.plan = line._plan;
  else if (found.data.length < kMostKept) {
    if (!found.columns.length) found.columns = Object.keys(line);
    found.data.push(line);
  } else found.beyond++;
}

/** `denied`: the agent wants a token; it calls `begin` again when there is one. */
export function useAsking(denied: (sql: string) => void) {
  const redraw = useReducer((n: number) => n + 1, 0)[1] as () => void;
  const now = useRef<Asking>({ found: null, progress: null, problem: '', since: 0 });
  const stop = useRef<AbortController | null>(null);
  const timer = useRef(0);
  const soon = () => {
    timer.current ||= window.setTimeout(() => {
      timer.current = 0;
      redraw();
    }, kDrawMs);
  };

  async function read(
    each: (take: (line: unknown) => void) => Promise<void>,
    mine: AbortController,
  ) {
    const mineNow = now.current;
    mineNow.found = nothing();
    try {
      await each((line) => {
        take(line as Line & Row, mineNow);
        soon();
      });
      if (!mineNow.found.end && !mineNow.found.plan && !mineNow.problem)
        mineNow.problem = 'the agent went away before the answer was whole';
    } catch (e) {
      if (!mine.signal.aborted) mineNow.problem = (e as Error).message;
    }
    if (stop.current === mine) mineNow.since = 0;
    redraw();
  }

  /** Resolves when the agent has taken the query; says no (401, 403) by throwing. */
  async function begin(sql: string): Promise<void> {
    stop.current?.abort();
    const mine = (stop.current = new AbortController());
    const kept = now.current.found; // until there is something new
    now.current = { found: kept, progress: null, problem: '', since: Date.now() };
    redraw();
    try {
      const body = { sql, output: 'ndjson', stream: true };
      void read(await lines('/api/query', body, mine.signal), mine);
    } catch (e) {
      if (mine.signal.aborted) return;
      now.current.since = 0;
      const refused = e instanceof Refused && (e.status === 401 || e.status === 403);
      if (!refused) now.current.problem = (e as Error).message;
      redraw();
      if (refused) throw e;
    }
  }

  const run = (sql: string) => {
    if (!credentials.token) return denied(sql);
    begin(sql).catch(() => {
      credentials.forget();
      denied(sql);
    });
  };
  const cancel = () => {
    stop.current?.abort();
    now.current.since = 0;
    redraw();
  };
  const tell = (problem: string) => {
    now.current.problem = problem;
    redraw();
  };
  useEffect(
    () => () => {
      stop.current?.abort();
      clearTimeout(timer.current);
    },
    [],
  );
  return { ...now.current, begin, run, cancel, tell };
}
