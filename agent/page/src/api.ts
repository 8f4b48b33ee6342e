// Speaking with the agent: reads, writes with the token, and what it says when it refuses.
import type { WritePath } from './model';

export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}
/** The agent did not answer at all. */
export class Away extends Error {}

async function problemOf(response: Response): Promise<Refused> {
  const text = await response.text();
  try {
    const body = JSON.parse(text) as { detail?: string; error?: { message: string } };
    return new Refused(response.status, body.detail ?? body.error?.message ?? text);
  } catch {
    return new Refused(response.status, text.slice(0, 300) || `status ${response.status}`);
  }
}

async function ask(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { ...init, cache: 'no-cache' });
  } catch (e) {
    if (init.signal?.aborted) throw e;
    throw new Away('the agent does not answer');
  }
  if (response.status === 502) throw new Away('the agent does not answer'); // a proxy in front of it
  if (!response.ok) throw await problemOf(response);
  return response;
}

export async function readText(path: string, signal?: AbortSignal): Promise<string> {
  return (await ask(path, { signal: signal ?? null })).text();
}

// The token and the name of who writes stay in this tab.
export const credentials = {
  get token() {
    return sessionStorage.getItem('nines.token') ?? '';
  },
  get who() {
    return localStorage.getItem('nines.who') ?? '';
  },
  keep(token: string, who: string) {
    sessionStorage.setItem('nines.token', token);
    localStorage.setItem('nines.who', who);
  },
  forget() {
    sessionStorage.removeItem('nines.token');
  },
};

const withToken = () => ({
  'Content-Type': 'application/json',
  Authorization: `Bearer ${credentials.token}`,
});

/** Sends `body`; once it is taken, gives what reads the answer's lines of JSON as they come. */
export async function lines(
  path: WritePath,
  body: object,
  signal: AbortSignal,
): Promise<(take: (line: unknown) => void) => Promise<void>> {
  const response = await ask(path, {
    method: 'POST',
    headers: withToken(),
    body: JSON.stringify(body),
    signal,
  });
  return async (take) => {
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    for (let rest = ''; ;) {
      const { done, value } = await reader.read();
      if (done) return;
      const whole = (rest + value).split('\n');
      rest = whole.pop()!;
      for (const line of whole) take(JSON.parse(line));
    }
  };
}

export async function write<T>(
  path: WritePath,
  body: object,
  more: { method?: string; signal?: AbortSignal } = {},
): Promise<T> {
  const response = await ask(path, {
    method: more.method ?? 'POST',
    headers: withToken(),
    body: JSON.stringify(body),
    signal: more.signal ?? null,
  });
  return (await response.json()) as T;
}
