// What every page is made of.
import type { ComponentChildren } from 'preact';
import type { Shown } from '../data';

export function Card({
  title,
  more,
  children,
  wide,
  id,
}: {
  title: string;
  more?: ComponentChildren;
  children: ComponentChildren;
  wide?: boolean;
  id?: string;
}) {
  const name = id ?? `card-${title.toLowerCase().replace(/\W+/g, '-')}`;
  return (
    <section class={wide ? 'card wide' : 'card'} aria-labelledby={name}>
      <header>
        <h2 id={name}>{title}</h2>
        {more !== undefined && <div class="more">{more}</div>}
      </header>
      {children}
    </section>
  );
}

/** Holds the place of what is still being read. */
export function Skeleton({ lines = 3 }: { lines?: number }) {
  return (
    <div class="skeleton" role="status" aria-label="is being read">
      {Array.from({ length: lines }, (_, i) => (
        <span key={i} />
      ))}
    </div>
  );
}

export function Nothing({ children }: { children: ComponentChildren }) {
  return <p class="nothing">{children}</p>;
}

/** `children` of what was read; its skeleton before, its problem instead. */
export function Await<T>({
  of,
  lines,
  children,
}: {
  of: Shown<T>;
  lines?: number;
  children: (data: T) => ComponentChildren;
}) {
  if (of.data !== undefined) return <>{children(of.data)}</>;
  if (of.problem)
    return (
      <p class="problem" role="status">
        {of.problem.message}
      </p>
    );
  return <Skeleton lines={lines ?? 3} />;
}

export function Fact({
  name,
  children,
  title,
}: {
  name: string;
  children: ComponentChildren;
  title?: string;
}) {
  return (
    <div class="fact" title={title}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** A table that scrolls inside itself; the keyboard can reach that. */
export function Scroll({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    <div class="scroll" role="region" aria-label={label} tabIndex={0}>
      {children}
    </div>
  );
}
