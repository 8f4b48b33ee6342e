// The postmortem of an incident, as far as it writes itself.
import { useState } from 'preact/hooks';
import { useData } from '../data';
import type { Postmortem } from '../model';
import { Await, Card } from '../ui/parts';

const List = ({ name, of }: { name: string; of: string[] }) =>
  of.length === 0 ? null : (
    <>
      <h3>{name}</h3>
      <ul>
        {of.map((t, n) => (
          <li key={n}>{t}</li>
        ))}
      </ul>
    </>
  );

export function Review({ path }: { path: `/api/incidents/${string}` }) {
  const [open, show] = useState(false);
  const read = useData<Postmortem>(open ? `${path}/postmortem?format=json` : null, 30_000);
  return (
    <Card
      title="Postmortem"
      wide
      more={
        <a href={`${path}/postmortem`} target="_blank" rel="noreferrer">
          as Markdown
        </a>
      }
    >
      <details onToggle={(e) => show((e.target as HTMLDetailsElement).open)}>
        <summary>The draft, from what is known</summary>
        {open && (
          <Await of={read} lines={10}>
            {(p) => (
              <div class="prose">
                <List name="Summary" of={p.summary} />
                <h3>Impact</h3>
                <p>{p.impact}</p>
                <List name="What happened" of={p.root_cause_analysis.what_happened} />
                <h3>Root cause</h3>
                <p>{p.root_cause_analysis.root_cause ?? 'Not stated yet.'}</p>
                <List
                  name="Whys"
                  of={p.root_cause_analysis.whys.map((w) => `${w.question} ${w.answer}`)}
                />
                <List
                  name="Contributing"
                  of={p.root_cause_analysis.contributing_factors.map(
                    (f) => `${f.text}${f.evidence ? ` (${f.evidence})` : ''}`,
                  )}
                />
                <h3>Resolution</h3>
                <p>{p.resolution.text}</p>
                <List name="Done at once" of={p.resolution.immediate_actions} />
                <List name="Mitigated by" of={p.resolution.temporary_mitigations} />
                <List name="Went well" of={p.lessons_learned.went_well} />
                <List name="To improve" of={p.lessons_learned.to_improve} />
                <List
                  name="Prevention"
                  of={[
                    ...p.prevention.short_term,
                    ...p.prevention.long_term,
                    ...p.prevention.monitoring,
                  ]}
                />
              </div>
            )}
          </Await>
        )}
      </details>
    </Card>
  );
}
