// The editor of a query: what is typed, in colours; completion; and where the agent says it is wrong.
import { useLayoutEffect, useRef, useState } from 'preact/hooks';

const kWords = (
  'SELECT FROM WHERE GROUP BY HAVING ORDER LIMIT AS AND OR NOT IN LIKE BETWEEN IS NULL ASC DESC DISTINCT SINCE UNTIL AT NODES EXTRACT PATTERN REGEXP ' +
  'CONTEXT BEFORE AFTER WITHIN SESSION IDLE MAX SEQUENCE MATCH_RECOGNIZE PARTITION MEASURES DEFINE CASE WHEN THEN ELSE END JOIN ON WITH UNION ALL EXPLAIN'
).split(' ');
const kFunctions =
  'logs files count sum min max avg stddev count_distinct topk percentile hist rate first last bucket lower upper length substr coalesce round'.split(
    ' ',
  );
const kFields = 'ts level message service status duration_ms host pod node file trace_id'.split(
  ' ',
);
const kTokens = /(--[^\n]*)|('(?:[^']|'')*'?)|([A-Za-z_]\w*)|([\s\S])/g;

export interface Wrong {
  line: number;
  column: number;
}
interface Choice {
  text: string;
  kind: string;
}

function tokens(text: string, wrong: Wrong | null) {
  let line = 1,
    column = 1;
  return [...text.matchAll(kTokens)].map(([all, comment, string, word], i) => {
    const bad =
      wrong !== null &&
      line === wrong.line &&
      column <= wrong.column &&
      wrong.column < column + all.length;
    const breaks = all.split('\n');
    if (breaks.length > 1) {
      line += breaks.length - 1;
      column = breaks.at(-1)!.length + 1;
    } else column += all.length;
    const kind = comment
      ? 'c'
      : string
        ? 's'
        : word && kWords.includes(word.toUpperCase())
          ? 'k'
          : word && kFunctions.includes(word.toLowerCase())
            ? 'f'
            : '';
    return kind || bad ? (
      <span key={i} class={`${kind}${bad ? ' wrong' : ''}`}>
        {all}
      </span>
    ) : (
      all
    );
  });
}

function choicesFor(text: string, at: number, sources: string[]): { from: number; all: Choice[] } {
  const before = text.slice(0, at);
  const quoted = /logs\('([^']*)$/i.exec(before);
  const stem = quoted ? quoted[1]! : (/[A-Za-z_]\w*$/.exec(before)?.[0] ?? '');
  const pool: Choice[] = quoted
    ? ['*', ...sources].map((text) => ({ text, kind: 'source' }))
    : [
        ...kFields.map((text) => ({ text, kind: 'field' })),
        ...kFunctions.map((text) => ({ text, kind: 'function' })),
        ...kWords.map((text) => ({ text, kind: '' })),
      ];
  const low = stem.toLowerCase();
  if (!quoted && (low.length < 1 || (before.split("'").length - 1) % 2 === 1))
    return { from: at, all: [] };
  return {
    from: at - stem.length,
    all: pool.filter((c) => c.text.toLowerCase().startsWith(low) && c.text !== stem).slice(0, 8),
  };
}

/** Where the caret is in the box, measured by laying out the text up to it. */
function placeOf(mirror: HTMLElement, at: number): { left: number; top: number } {
  const range = document.createRange();
  const walk = document.createTreeWalker(mirror, NodeFilter.SHOW_TEXT);
  let left = at;
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const length = node.textContent!.length;
    if (left <= length) {
      range.setStart(node, left);
      range.setEnd(node, left);
      const box = range.getBoundingClientRect(),
        base = mirror.getBoundingClientRect();
      return {
        left: Math.max(8, box.left - base.left),
        top: (box.bottom || base.top + 32) - base.top + 6,
      };
    }
    left -= length;
  }
  return { left: 14, top: 36 };
}

export function Editor({
  text,
  change,
  wrong,
  sources,
  run,
}: {
  text: string;
  change: (t: string) => void;
  wrong: Wrong | null;
  sources: string[];
  run: () => void;
}) {
  const area = useRef<HTMLTextAreaElement>(null),
    mirror = useRef<HTMLPreElement>(null);
  const [menu, open] = useState<{
    from: number;
    at: number;
    all: Choice[];
    on: number;
    left: number;
    top: number;
  } | null>(null);
  const caret = useRef<number | null>(null);
  useLayoutEffect(() => {
    if (caret.current !== null) {
      area.current!.setSelectionRange(caret.current, caret.current);
      caret.current = null;
    }
  }, [text]);

  function offer(value: string, forced = false) {
    const at = area.current!.selectionStart;
    const { from, all } = choicesFor(value, at, sources);
    if (!all.length || (!forced && from === at && !/logs\('$/i.test(value.slice(0, at))))
      return open(null);
    requestAnimationFrame(() => open({ from, at, all, on: 0, ...placeOf(mirror.current!, from) }));
  }
  function take(choice: Choice) {
    const tail = kFunctions.includes(choice.text) && choice.kind === 'function' ? '(' : '';
    caret.current = menu!.from + choice.text.length + tail.length;
    change(text.slice(0, menu!.from) + choice.text + tail + text.slice(menu!.at));
    open(null);
    area.current!.focus();
  }
  function press(e: KeyboardEvent) {
    if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) {
      e.preventDefault();
      open(null);
      return run();
    }
    if (e.key === ' ' && e.ctrlKey) {
      e.preventDefault();
      return offer(text, true);
    }
    if (!menu) return;
    const step = e.key === 'ArrowDown' ? 1 : e.key === 'ArrowUp' ? -1 : 0;
    if (step) {
      e.preventDefault();
      open({ ...menu, on: (menu.on + step + menu.all.length) % menu.all.length });
    } else if (e.key === 'Enter' || e.key === 'Tab') {
      e.preventDefault();
      take(menu.all[menu.on]!);
    } else if (e.key === 'Escape') {
      e.stopPropagation();
      open(null);
    }
  }
  return (
    <div class="wrap">
      <div class="editor">
        <pre ref={mirror} aria-hidden="true">
          {tokens(text, wrong)}
          {'\n'}
        </pre>
        <textarea
          ref={area}
          value={text}
          spellcheck={false}
          autocapitalize="off"
          autocomplete="off"
          aria-label="query"
          aria-describedby="query-problem"
          aria-invalid={wrong !== null}
          aria-controls="completion"
          aria-autocomplete="list"
          aria-activedescendant={menu ? `choice-${menu.on}` : undefined}
          onInput={(e) => {
            const value = (e.target as HTMLTextAreaElement).value;
            change(value);
            offer(value);
          }}
          onKeyDown={press}
          onBlur={() => setTimeout(() => open(null), 150)}
          onScroll={(e) => {
            mirror.current!.scrollTop = (e.target as HTMLElement).scrollTop;
          }}
        />
      </div>
      <ul
        id="completion"
        role="listbox"
        aria-label="completion"
        class={menu ? 'completion' : 'hidden'}
        style={menu ? { left: `${menu.left}px`, top: `${menu.top}px` } : {}}
      >
        {menu?.all.map((c, i) => (
          <li
            key={c.text}
            id={`choice-${i}`}
            role="option"
            aria-selected={i === menu.on}
            onMouseDown={(e) => {
              e.preventDefault();
              take(c);
            }}
          >
            {c.text}
            <small class="dim">{c.kind}</small>
          </li>
        ))}
      </ul>
    </div>
  );
}
