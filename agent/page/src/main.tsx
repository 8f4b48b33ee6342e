// The frame around every page: where one can go, whether the agent is there, keys, colours.
import { render } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useAgent, useData } from './data';
import { clock, utc, zone } from './format';
import { listen } from './live';
import type { Status } from './model';
import { Fleet } from './pages/fleet';
import { Incident } from './pages/incident';
import { Incidents } from './pages/incidents';
import { OnCall } from './pages/oncall';
import { Overview } from './pages/overview';
import { Query } from './pages/query';
import { Remediation } from './pages/remediation';
import { Service } from './pages/service';
import { to, usePlace } from './router';
import { Shape } from './ui/marks';
import { DeedDialog } from './ui/write';

const kPages: { name: string; path: string; key: string; icon: string }[] = [
  {
    name: 'Overview',
    path: '',
    key: 'o',
    icon: 'M3 13h7V3H3Zm0 8h7v-6H3Zm11 0h7V11h-7Zm0-18v6h7V3Z',
  },
  {
    name: 'Incidents',
    path: 'incidents',
    key: 'i',
    icon: 'M12 2 1 21h22Zm-1 7h2v6h-2Zm0 7.500h2v2h-2Z',
  },
  {
    name: 'Query',
    path: 'query',
    key: 'q',
    icon: 'M10 3a7 7 0 1 0 4.200 12.600l5.100 5.100 1.400-1.400-5.100-5.100A7 7 0 0 0 10 3Zm0 2a5 5 0 1 1 0 10 5 5 0 0 1 0-10Z',
  },
  {
    name: 'On-call',
    path: 'oncall',
    key: 'c',
    icon: 'M12 2a5 5 0 1 0 0 10 5 5 0 0 0 0-10Zm0 12c-5 0-9 2.500-9 6v2h18v-2c0-3.500-4-6-9-6Z',
  },
  {
    name: 'Remedies',
    path: 'remediation',
    key: 'r',
    icon: 'M21 7.500a5.500 5.500 0 0 1-7.300 5.200L6.400 20A2.300 2.300 0 0 1 3 16.700l7.400-7.300A5.500 5.500 0 0 1 17.500 2.500L14 6l.500 3 3 .500 3.400-3.500c0 .500.100 1 .100 1.500Z',
  },
  {
    name: 'Fleet',
    path: 'fleet',
    key: 'f',
    icon: 'M3 4h18v5H3Zm0 6.500h18v5H3ZM3 17h18v4H3Zm3-11.300v1.600h2V5.700Zm0 6.500v1.600h2v-1.600Zm0 6v1.600h2v-1.600Z',
  },
];

function pageOf(path: string[], query: URLSearchParams) {
  const [page = '', name = ''] = path;
  if (page === 'service') return <Service name={name} slo={query.get('slo')} key={name} />;
  if (page === 'incidents')
    return name ? (
      <Incident id={name} key={name} />
    ) : (
      <Incidents state={query.get('state') ?? 'open'} />
    );
  if (page === 'query') return <Query sql={query.get('sql')} saved={query.get('saved')} />;
  if (page === 'oncall') return <OnCall />;
  if (page === 'remediation') return <Remediation />;
  if (page === 'fleet') return <Fleet />;
  return <Overview />;
}

const typing = (e: KeyboardEvent) =>
  /INPUT|TEXTAREA|SELECT/.test((e.target as HTMLElement).tagName) ||
  document.querySelector('dialog[open]') !== null;

/** '?' shows the keys; 'g' and then a letter goes to a page. */
function useKeys(help: () => void) {
  useEffect(() => {
    let g = 0;
    const press = (e: KeyboardEvent) => {
      if (typing(e) || e.ctrlKey || e.metaKey || e.altKey) return;
      if (e.key === '?') return help();
      if (e.key === '/') {
        e.preventDefault();
        location.hash = to('query');
        return;
      }
      const page = Date.now() - g < 1500 ? kPages.find((p) => p.key === e.key) : undefined;
      if (page) {
        e.preventDefault();
        location.hash = to(page.path);
      }
      g = e.key === 'g' ? Date.now() : 0;
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, []);
}

function Keys({ close }: { close: () => void }) {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => box.current!.showModal(), []);
  return (
    <dialog ref={box} class="deed" aria-labelledby="keys-title" onClose={close}>
      <div class="keys">
        <h2 id="keys-title">Keys</h2>
        <dl>
          {kPages.map((p) => [
            <dt key={p.key}>
              <kbd>g</kbd> <kbd>{p.key}</kbd>
            </dt>,
            <dd>{p.name}</dd>,
          ])}
          <dt>
            <kbd>/</kbd>
          </dt>
          <dd>Query</dd>
          <dt>
            <kbd>?</kbd>
          </dt>
          <dd>these keys</dd>
          <dt>
            <kbd>Ctrl</kbd> <kbd>Enter</kbd>
          </dt>
          <dd>run the query</dd>
        </dl>
        <div class="buttons">
          <button type="button" class="main" onClick={() => box.current!.close()}>
            Close
          </button>
        </div>
      </div>
    </dialog>
  );
}

const kThemes = ['auto', 'light', 'dark'];
function useTheme(): [string, () => void] {
  const [theme, set] = useState(localStorage.getItem('nines.theme') ?? 'auto');
  useEffect(() => {
    if (theme === 'auto') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    localStorage.setItem('nines.theme', theme);
    dispatchEvent(new Event('nines-theme'));
  }, [theme]);
  return [theme, () => set(kThemes[(kThemes.indexOf(theme) + 1) % kThemes.length]!)];
}

function Side({ page, help }: { page: string; help: () => void }) {
  const status = useData<Status & { incidents?: { open: unknown[] } }>('/api/status').data;
  const { live, awaySince } = useAgent();
  const [theme, turn] = useTheme();
  const open = status?.incidents?.open.length ?? 0;
  return (
    <div class="side">
      <a class="brand" href="#/" aria-label="Nines, to the overview">
        <img src="/icon.svg" alt="" />
        <span>Nines</span>
      </a>
      <nav aria-label="pages">
        <ul>
          {kPages.map((p) => (
            <li key={p.path}>
              <a
                href={to(p.path)}
                aria-current={p.path === page ? 'page' : undefined}
                title={`${p.name} (g ${p.key})`}
              >
                <svg viewBox="0 0 24 24" fill="currentColor" aria-hidden="true">
                  <path d={p.icon} fill-rule="evenodd" />
                </svg>
                <span>{p.name}</span>
                {p.path === 'incidents' && open > 0 && (
                  <span class="badge">
                    {open}
                    <span class="hidden"> open</span>
                  </span>
                )}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <div class="foot">
        <div class="hide">
          {status ? (
            <>
              <b>{status.node}</b> · {status.version}
            </>
          ) : (
            ' '
          )}
        </div>
        <div class="live">
          <Shape tone={awaySince ? 'warn' : live ? 'ok' : 'watch'} />
          <span class="hide">{awaySince ? 'agent away' : live ? 'live' : 'every 10 s'}</span>
        </div>
        <div
          class="hide"
          title="times are shown in this zone; UTC is shown when the pointer rests on one"
        >
          {zone()}
        </div>
        <div class="row">
          <button class="plain" onClick={turn} aria-label={`colours: ${theme}`} title="colours">
            {theme === 'dark' ? '☾' : theme === 'light' ? '☀' : '◐'}
            <span class="hide"> {theme}</span>
          </button>
          <button class="plain" onClick={help} aria-label="keys" title="keys">
            ?
          </button>
        </div>
      </div>
    </div>
  );
}

function Away() {
  const { awaySince } = useAgent();
  if (!awaySince) return null;
  return (
    <div class="away" role="status">
      <Shape tone="warn" />
      <span>
        The agent is away since <time title={utc(awaySince)}>{clock(awaySince)}</time>. What you see
        is from before; it is asked again every 2 seconds.
      </span>
    </div>
  );
}

function Page() {
  const { path, query } = usePlace();
  const [keys, showKeys] = useState(false);
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  useKeys(() => showKeys(true));
  const at = path.slice(0, 2).join('/');
  useEffect(() => {
    const page = kPages.find((p) => p.path === (path[0] ?? ''))?.name ?? path[0] ?? '';
    document.title = `${path[1] ?? page} · Nines`;
    if (!first.current) {
      main.current?.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
    first.current = false;
  }, [at]);
  return (
    <>
      <a
        class="skip"
        href="#main"
        onClick={(e) => {
          e.preventDefault();
          main.current?.focus();
        }}
      >
        Skip to the content
      </a>
      <div class="frame">
        <Side page={path[0] === 'service' ? '' : (path[0] ?? '')} help={() => showKeys(true)} />
        <div>
          <Away />
          <main class="main" id="main" ref={main} tabIndex={-1}>
            {pageOf(path, query)}
          </main>
        </div>
      </div>
      <DeedDialog />
      {keys && <Keys close={() => showKeys(false)} />}
    </>
  );
}

listen();
render(<Page />, document.getElementById('page')!);
