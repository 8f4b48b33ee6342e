// Queries that people keep on the agent for each other, and links to them.
import { useEffect, useState } from 'preact/hooks';
import { refresh, useData } from '../data';
import type { SavedQuery } from '../model';
import { to } from '../router';
import { Time } from '../ui/marks';
import { Await, Card, Nothing } from '../ui/parts';
import { ask } from '../ui/write';

const kSaved = '/api/queries/saved';
const kNames = '[A-Za-z0-9_][A-Za-z0-9_.\\-]{0,63}';

/** Keeps it on the agent, for everybody. */
export function saveForAll(sql: string) {
  ask({
    title: 'Save for all',
    says: 'The agent keeps the query, and shows it to everybody; one of the same name is replaced.',
    path: (name) => `${kSaved}/${encodeURIComponent(name)}`,
    method: 'PUT',
    needsText: 'Its name (letters, digits, - _ .)',
    pattern: kNames,
    body: (_, who) => ({ sql, who }),
    button: 'Save',
    done: () => refresh(kSaved),
  });
}

function removeForAll(query: SavedQuery) {
  ask({
    title: `Remove ${query.name}`,
    says: `Saved by ${query.who}; nobody will find it here any more.`,
    path: `${kSaved}/${encodeURIComponent(query.name)}`,
    method: 'DELETE',
    body: () => ({}),
    button: 'Remove',
    done: () => refresh(kSaved),
  });
}

export const addressOf = (query: string) => `${location.origin}/${to('query')}?${query}`;

/** Copies a link; says for a while that it did. */
export function Link({
  address,
  label,
  text,
}: {
  address: () => string;
  label?: string;
  text: string;
}) {
  const [copied, tell] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(address());
      tell(true);
      setTimeout(() => tell(false), 3000);
    } catch {
      history.replaceState(null, '', address()); // it is in the address at least
    }
  };
  return (
    <button aria-label={label} onClick={() => void copy()}>
      {copied ? 'Link copied' : text}
    </button>
  );
}

export function SavedForAll({
  open,
  wanted,
}: {
  open: (sql: string) => void;
  wanted: string | null;
}) {
  const saved = useData<SavedQuery[]>(kSaved, 30_000);
  const found = saved.data?.find((q) => q.name === wanted);
  useEffect(() => {
    if (found) open(found.sql);
  }, [found?.name]);
  return (
    <Card title="Saved for all" more="on this agent">
      {wanted && saved.data && !found && (
        <p class="problem" role="status">
          No query is saved here as {wanted}.
        </p>
      )}
      <Await of={saved}>
        {(all) =>
          all.length ? (
            <ul class="rows">
              {all.map((q) => (
                <li key={q.name}>
                  <button onClick={() => open(q.sql)}>Open</button>
                  <div class="what">
                    <b class="mono">{q.name}</b>
                    <p class="dim">
                      {q.who}, <Time at={q.at} />
                    </p>
                  </div>
                  <div class="buttons">
                    <Link
                      address={() => addressOf(`saved=${encodeURIComponent(q.name)}`)}
                      label={`link to ${q.name}`}
                      text="Link"
                    />
                    <button
                      class="plain"
                      aria-label={`remove ${q.name}`}
                      onClick={() => removeForAll(q)}
                    >
                      ✕
                    </button>
                  </div>
                </li>
              ))}
            </ul>
          ) : (
            <Nothing>None yet.</Nothing>
          )
        }
      </Await>
    </Card>
  );
}
