// Writing to the agent: one dialog that asks for what is missing (the token, the name, a text), does
// it, and says in place what the agent refuses.
import { useEffect, useRef, useState } from 'preact/hooks';
import { Refused, credentials, write } from '../api';
import type { WritePath } from '../model';

export interface Deed {
  title: string;
  path: WritePath | ((text: string) => WritePath);
  body: (text: string, who: string) => object;
  /** In place of sending `body` to `path`. */
  send?: () => Promise<unknown>;
  method?: string;
  button: string;
  says?: string;
  needsText?: string;
  /** The text is a name: one line, of these letters. */
  pattern?: string;
  done?: (answer: unknown) => void;
}

let open: ((deed: Deed) => void) | null = null;
/** Shows the dialog of `deed`. */
export const ask = (deed: Deed) => open?.(deed);

export function DeedDialog() {
  const [deed, show] = useState<Deed | null>(null);
  const [problem, tell] = useState('');
  const [busy, work] = useState(false);
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    open = (d) => {
      tell('');
      show(d);
    };
    return () => {
      open = null;
    };
  }, []);
  useEffect(() => {
    if (deed) box.current?.showModal();
  }, [deed]);
  if (!deed) return null;
  const close = () => {
    box.current?.close();
    show(null);
  };

  async function send(event: Event) {
    event.preventDefault();
    const fields = new FormData(event.target as HTMLFormElement);
    const text = String(fields.get('text') ?? ''),
      who = String(fields.get('who') ?? '');
    credentials.keep(String(fields.get('token') ?? ''), who);
    work(true);
    try {
      const answer = await (deed!.send?.() ??
        write(
          typeof deed!.path === 'function' ? deed!.path(text) : deed!.path,
          deed!.body(text, who),
          deed!.method ? { method: deed!.method } : {},
        ));
      close();
      deed!.done?.(answer);
    } catch (e) {
      if (e instanceof Refused && (e.status === 401 || e.status === 403)) credentials.forget();
      tell((e as Error).message);
    }
    work(false);
  }

  return (
    <dialog ref={box} class="deed" aria-labelledby="deed-title" onClose={() => show(null)}>
      <form onSubmit={send}>
        <h2 id="deed-title">{deed.title}</h2>
        {deed.says && <p>{deed.says}</p>}
        {deed.needsText !== undefined && (
          <label>
            {deed.needsText}
            {deed.pattern ? (
              <input name="text" required autofocus pattern={deed.pattern} autocomplete="off" />
            ) : (
              <textarea name="text" rows={3} autofocus />
            )}
          </label>
        )}
        <label>
          Your name
          <input name="who" required autocomplete="name" defaultValue={credentials.who} />
        </label>
        <label>
          Token{' '}
          <small>the file api.token in the agent's state directory; kept in this tab only</small>
          <input
            name="token"
            type="password"
            required
            autocomplete="off"
            defaultValue={credentials.token}
          />
        </label>
        <p class="problem" role="alert">
          {problem}
        </p>
        <div class="buttons">
          <button type="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" class="main" disabled={busy}>
            {busy ? 'Sending…' : deed.button}
          </button>
        </div>
      </form>
    </dialog>
  );
}
