// Drives a real agent's page through a real browser: every page in three widths and two colours, with
// axe-core; writes and their errors; the keyboard; the agent going away and coming back; and that
// nothing is asked of anybody else. What it needs comes as JSON in the first argument:
//   {base, token, incident, shots, chromium, node, away?}
import { createRequire } from 'node:module';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const world = JSON.parse(process.argv[2]);
const need = createRequire(join(world.page, 'package.json'));
const { chromium } = need('playwright-core');
const kAxe = readFileSync(need.resolve('axe-core/axe.min.js'), 'utf8');

let failures = 0,
  passed = 0;
function that(condition, what) {
  if (condition) passed++;
  else {
    failures++;
    console.log(`FAIL: ${what}`);
  }
  return Boolean(condition);
}

const kPages = {
  overview: ['', 'Overview'],
  service: ['service/checkout', 'checkout'],
  latency: ['service/search?slo=search-fast', 'search'],
  incidents: ['incidents?state=all', 'Incidents'],
  incident: [`incidents/${world.incident}`, 'orders'],
  query: ['query', 'Query'],
  oncall: ['oncall', 'On-call'],
  remediation: ['remediation', 'Remediation'],
  fleet: ['fleet', 'Fleet'],
};

/** A page of `browser` that remembers what was asked of whom and what went wrong. */
async function open(browser, options = {}) {
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    ...options,
  });
  const page = await context.newPage();
  page.on('request', (r) => {
    if (!r.url().startsWith(world.base) && !r.url().startsWith('data:'))
      that(false, `a request leaves the origin: ${r.url()}`);
  });
  page.on('pageerror', (e) => that(false, `an exception: ${e.message}`));
  page.on('console', (m) => {
    if (/Content Security Policy|Content-Security-Policy/.test(m.text())) that(false, m.text());
  });
  return page;
}

async function go(page, path) {
  await page.goto(`${world.base}/#/${path}`);
  await page.waitForSelector('h1');
  await page.waitForFunction(() => !document.querySelector('.skeleton'), null, {
    timeout: 20_000,
  });
}

async function axe(page, what) {
  await page.evaluate(kAxe);
  const found = await page.evaluate(() =>
    window.axe.run(document, { resultTypes: ['violations'] }),
  );
  for (const v of found.violations) {
    if (v.impact === 'serious' || v.impact === 'critical')
      that(
        false,
        `${what}: ${v.id}: ${v.nodes
          .slice(0, 3)
          .map((n) => `${n.target} ${n.failureSummary}`)
          .join(' | ')}`,
      );
  }
  passed++;
}

async function looksRight(browser) {
  for (const width of [1440, 820, 390]) {
    for (const colorScheme of ['light', 'dark']) {
      const page = await open(browser, {
        viewport: { width, height: width < 500 ? 844 : 900 },
        colorScheme,
      });
      for (const [name, [path, heading]] of Object.entries(kPages)) {
        const what = `${name} at ${width} px, ${colorScheme}`;
        await go(page, path);
        that((await page.textContent('h1')).includes(heading), `${what}: its heading`);
        that(
          (await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0,
          `${what}: nothing is wider than the screen`,
        );
        await axe(page, what);
        await page.screenshot({
          path: join(world.shots, `${name}-${width}-${colorScheme}.png`),
          fullPage: true,
        });
      }
      await page.context().close();
    }
  }
}

async function tellsTheTruth(browser) {
  const page = await open(browser);
  const slos = await (await fetch(`${world.agent}/api/slo`)).json();
  await go(page, '');
  that((await page.locator('#objectives').count()) === 1, 'the objectives have a heading');
  const rows = await page.locator('table.fold tbody tr').count();
  that(rows === slos.length, `each objective has a row: ${rows} of ${slos.length}`);
  const out = slos.filter((s) => s.state === 'VIOLATED').length;
  that(
    (await page.textContent('.tiles')).includes(`${out} out of budget`),
    `the headline says that ${out} are out of budget`,
  );
  const mosaic = await page.locator('.mosaic a').count();
  that(mosaic === new Set(slos.map((s) => s.service)).size, 'each service has a tile');
  const stamp = page.locator('time').first();
  that(/UTC$/.test(await stamp.getAttribute('title')), 'times say UTC in their title');
  await page.locator('.mosaic a').first().click();
  await page.waitForSelector('.chart canvas');
  that((await page.locator('.rule').count()) > 0, 'burn rates stand beside their thresholds');
  await page.locator('summary', { hasText: 'Every number' }).click();
  await page.waitForSelector('pre.block');
  that(
    (await page.textContent('pre.block')).includes('Burn rate = bad / total'),
    'the arithmetic is shown',
  );
  await go(page, `incidents/${world.incident}`);
  const suspects = await page.textContent('ol.rows');
  that(
    suspects.includes('pay') && suspects.includes('Wrong if'),
    'suspects are named, and what would make that wrong',
  );
  that((await page.locator('.lanes .dot').count()) > 2, 'the timeline is drawn');
  await page.locator('summary', { hasText: 'The draft' }).click();
  await page.waitForSelector('.prose h3');
  that((await page.textContent('.prose')).includes('Root cause'), 'the postmortem can be read');
  await page.screenshot({
    path: join(world.shots, 'incident-open.png'),
    fullPage: true,
  });
  const rota = await (await fetch(`${world.agent}/api/oncall`)).json();
  const names = Object.fromEntries(rota.people.map((p) => [p.person, p.name || p.person]));
  await go(page, 'oncall');
  for (const s of rota.schedules) {
    const card = page.locator('.card', { has: page.locator(`h2:has-text("${s.schedule}")`) });
    that(
      (await card.locator('.who').textContent()) === names[s.person],
      `${s.schedule}: ${names[s.person]} is called`,
    );
    that(
      (await card.locator('.rows li').first().textContent()).includes(names[s.next[0].person]),
      `${s.schedule}: ${names[s.next[0].person]} is next`,
    );
    that(
      (await card.locator('.shifts > span').count()) === s.next.length + 1,
      `${s.schedule}: the turns that come are drawn`,
    );
  }
  const load = page.locator('.card', { has: page.locator('h2:has-text("Load")') });
  that(
    (await load.locator('tbody tr').count()) === rota.people.length,
    'the load of everybody is shown',
  );
  await page.context().close();
}

/** Where the agent tells of events, the page follows them. */
async function follows(browser) {
  const stop = new AbortController();
  const there = await fetch(`${world.agent}/api/events`, {
    signal: stop.signal,
  });
  stop.abort();
  if (there.status === 404) {
    console.log('  this agent has no /api/events: the page polls');
    return;
  }
  const page = await open(browser);
  await go(page, '');
  await page.waitForSelector('.live:has-text("live")', { timeout: 20_000 });
  await go(page, `incidents/${world.incident}`);
  const said = await fetch(`${world.agent}/api/incidents/${world.incident}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${world.token}` },
    body: JSON.stringify({ do: 'severity', severity: 'P1', who: 'kim', text: 'few are affected' }),
  });
  const begin = Date.now();
  that(said.ok, `another severity is taken: ${said.status}`);
  await page.waitForSelector('.head .severity.P1', { timeout: 9000 });
  console.log(`  seen ${Date.now() - begin} ms after it was said elsewhere`);
  that(Date.now() - begin < 9000, 'what others write is seen without asking');
  await page.context().close();
}

async function fill(page, token, text) {
  await page.waitForSelector('dialog[open]');
  if (text !== undefined) await page.fill('dialog textarea', text);
  await page.fill('dialog input[name=who]', 'kim');
  await page.fill('dialog input[name=token]', token);
  await page.click('dialog button[type=submit]');
}

async function writes(browser) {
  const page = await open(browser);
  await go(page, `incidents/${world.incident}`);
  await page.click('text=Acknowledge…');
  await axe(page, 'the dialog');
  await fill(page, 'wrong', 'looking');
  await page.waitForFunction(() => document.querySelector('dialog .problem')?.textContent);
  that(
    (await page.textContent('dialog .problem')).includes('token'),
    'a wrong token is told in place',
  );
  that((await page.inputValue('dialog textarea')) === 'looking', 'and what was typed stays');
  await fill(page, world.token);
  await page.waitForSelector('dialog[open]', { state: 'detached' });
  await page.waitForSelector('.head .mark:has-text("acknowledged")');
  const one = await (await fetch(`${world.agent}/api/incidents/${world.incident}`)).json();
  that(one.acknowledged_by === 'kim', 'the agent knows who acknowledged it');
  await page.click('text=Note…');
  await page.fill('dialog textarea', 'the card service was moved');
  await page.click('dialog button[type=submit]');
  await page.waitForSelector('.what:has-text("the card service was moved")');
  that(true, 'a note is seen at once');

  const alertsOf = async () => (await fetch(`${world.agent}/api/alerts/jobs?firing=true`)).json();
  await go(page, 'service/jobs');
  const alerts = page.locator('.card', { has: page.locator('h2:has-text("Alerts")') });
  await alerts.locator('button:has-text("Acknowledge…")').first().click();
  await fill(page, world.token, 'the worker again');
  await page.waitForSelector('dialog[open]', { state: 'detached' });
  await alerts.locator('text=seen by kim').first().waitFor();
  that(
    (await alertsOf()).some((a) => a.acknowledged_by === 'kim'),
    'an alert is acknowledged where it is seen',
  );

  const gate = async () => (await fetch(`${world.agent}/api/slo/checkout-available`)).json();
  await go(page, 'service/checkout');
  await page.click('text=Override the gate…');
  await fill(page, world.token, 'hotfix 12');
  await page.waitForSelector('text=overridden by kim');
  const opened = (await gate()).release;
  that(
    opened.override.reason === 'hotfix 12' && opened.allowed,
    'a gate is opened for a time, with its reason',
  );
  await page.click('text=Take the override back…');
  await page.click('dialog button[type=submit]');
  await page.waitForSelector('text=Override the gate…');
  that((await gate()).release.override === null, 'and that is taken back');

  await go(page, 'remediation');
  await page.click('text=Approve…');
  await page.click('dialog button[type=submit]');
  await page.waitForSelector('.column:nth-child(3) .rulecard:has-text("restart-worker")');
  const rules = (await (await fetch(`${world.agent}/api/remedies`)).json()).rules;
  that(rules.find((r) => r.rule === 'restart-worker').state === 'approved', 'a rule is approved');
  await page.waitForSelector('text=Allow once…', { timeout: 60_000 });
  await page.click('text=Allow once…');
  await page.click('dialog button[type=submit]');
  await page.waitForSelector('td:has-text("unit-restart worker.service")', {
    timeout: 60_000,
  });
  that(true, 'it is allowed once, and what it did is listed');
  await page.context().close();
}

async function asks(browser) {
  const page = await open(browser);
  await go(page, 'query');
  const area = page.locator('textarea');
  await area.fill("SELECT level, count(*) AS n FROM logs('pods') GRUP BY level");
  await page.click('button.main:has-text("Run")');
  await fill(page, world.token);
  await page.waitForFunction(
    () =>
      document.querySelector('dialog .problem')?.textContent ||
      document.querySelector('#query-problem')?.textContent,
  );
  await page.keyboard.press('Escape');
  await area.press('Control+Enter');
  await page.waitForSelector('.editor .wrong');
  that((await page.textContent('#query-problem')).includes('column'), 'an error says where');
  await area.fill('');
  await area.pressSequentially('SELECT level, cou');
  // What is offered follows the last key a frame later.
  await page.waitForFunction(() =>
    document.querySelector('.completion li')?.textContent.includes('count'),
  );
  await page.evaluate(
    () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
  );
  await page.keyboard.press('Enter');
  const taken = await area.inputValue();
  that(taken === 'SELECT level, count(', `completion takes the first choice: ${taken}`);
  await area.fill("SELECT level, count(*) AS n FROM logs('");
  await area.press('Control+Space');
  await page.waitForSelector('.completion li:has-text("pods")');
  await page.keyboard.press('Escape');
  await area.fill("SELECT ts, level, message FROM logs('pods') ORDER BY ts LIMIT 50");
  await area.press('Control+Enter');
  const result = page.locator('.card', { has: page.locator('h2:has-text("Result")') });
  await result.locator('.mark:has-text("complete")').waitFor();
  that((await page.locator('table.result tbody tr').count()) === 50, 'rows are shown');
  that((await page.locator('.histogram > span').count()) > 1, 'and how they lie in time');
  that(decodeURIComponent(page.url()).includes("logs('pods')"), 'the address holds the query');
  that(!page.url().includes(world.token), 'but not the token');
  // Longer than its deadline of 10 s: who stops it does not hold up the next one.
  const text = await area.inputValue();
  await area.fill("SELECT count(*) FROM logs('pods') a JOIN logs('pods') b ON a.message <> b.message");
  await area.press('Control+Enter');
  await page.waitForSelector('[role=progressbar]');
  await page.waitForFunction(() => /\d s$/.test(document.querySelector('.says').textContent));
  await page.screenshot({ path: join(world.shots, 'query-running.png') });
  await axe(page, 'a query that runs');
  const stopped = Date.now();
  await page.click('button:has-text("Stop")');
  await area.fill(text);
  await area.press('Control+Enter');
  await result.locator('.mark:has-text("complete")').waitFor();
  console.log(`  the next query was answered ${Date.now() - stopped} ms after the last was stopped`);
  that(Date.now() - stopped < 5000, 'a query that is stopped ends at the agent');
  await page.click('button:has-text("Save here")');
  await page.screenshot({
    path: join(world.shots, 'query-result.png'),
    fullPage: true,
  });
  await axe(page, 'a result');
  await page.reload();
  await page.waitForSelector('text=Saved here');
  that(
    (await page.locator('.rows .mono:has-text("SELECT ts")').count()) === 1,
    'a saved query is there after a reload',
  );
  await page.click('button:has-text("Save for all")');
  await page.fill('dialog input[name=text]', 'first-lines');
  await page.fill('dialog input[name=who]', 'kim');
  await page.fill('dialog input[name=token]', world.token);
  await axe(page, 'the dialog that saves');
  await page.click('dialog button[type=submit]');
  const saved = page.locator('.card', { has: page.locator('h2:has-text("Saved for all")') });
  await saved.locator('b:has-text("first-lines")').waitFor();
  const other = await open(browser);
  await go(other, 'query?saved=first-lines');
  await other.waitForFunction(() =>
    document.querySelector('textarea').value.includes("FROM logs('pods') ORDER BY ts"),
  );
  that(true, 'what is saved for all opens by its link, elsewhere');
  await other.context().close();
  await saved.locator('button[aria-label="remove first-lines"]').click();
  await page.click('dialog button[type=submit]');
  await saved.locator('text=None yet').waitFor();
  that(true, 'and can be removed');
  await page.context().close();
}

async function keys(browser) {
  const page = await open(browser);
  await go(page, '');
  await page.keyboard.press('Tab');
  that(
    (await page.evaluate(() => document.activeElement.textContent)) === 'Skip to the content',
    'the first stop skips to the content',
  );
  await page.keyboard.press('Enter');
  that((await page.evaluate(() => document.activeElement.id)) === 'main', 'and does');
  await page.keyboard.press('g');
  await page.keyboard.press('f');
  await page.waitForSelector('h1:has-text("Fleet")');
  await page.keyboard.press('?');
  await page.waitForSelector('dialog[open]:has-text("Keys")');
  await page.keyboard.press('Escape');
  await page.waitForSelector('dialog[open]', { state: 'detached' });
  that(true, 'keys go to pages and explain themselves');
  await page.context().close();
}

// ---- the agent goes away: whoever started us stops and starts it when told on our output.
const line = () => new Promise((resolve) => process.stdin.once('data', resolve));

async function survives(browser) {
  const page = await open(browser);
  await go(page, '');
  const before = await page.textContent('.mosaic');
  console.log('STOP');
  await line();
  await page.waitForSelector('.away', { timeout: 30_000 });
  that(
    (await page.textContent('.away')).includes('away since'),
    'the banner says since when the agent is away',
  );
  that(
    (await page.textContent('.mosaic')).length >= before.length - 40,
    'what was known is still shown',
  );
  await page.screenshot({ path: join(world.shots, 'away.png') });
  await axe(page, 'away');
  console.log('START');
  await line();
  await page.waitForSelector('.away', { state: 'detached', timeout: 60_000 });
  that(true, 'the banner goes when the agent is back');
  await page.context().close();
}

async function measures(browser) {
  const page = await open(browser);
  await go(page, '');
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  const cpu = async () =>
    (await session.send('Performance.getMetrics')).metrics.find((m) => m.name === 'TaskDuration')
      .value;
  const paint = await page.evaluate(
    () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0,
  );
  const shift = await page.evaluate(
    () =>
      new Promise((resolve) => {
        let sum = 0;
        new PerformanceObserver((list) =>
          list.getEntries().forEach((e) => {
            if (!e.hadRecentInput) sum += e.value;
          }),
        ).observe({ type: 'layout-shift', buffered: true });
        setTimeout(() => resolve(sum), 300);
      }),
  );
  const begin = await cpu();
  await page.waitForTimeout(20_000);
  const busy = ((await cpu()) - begin) / 20;
  console.log(
    `first paint after ${paint.toFixed(0)} ms, layout shift ${shift.toFixed(3)}, idle ${(busy * 100).toFixed(2)} % of a core`,
  );
  that(shift < 0.1, `nothing jumps: layout shift ${shift}`);
  that(busy < 0.05, `an idle page is idle: ${(busy * 100).toFixed(2)} % of a core`); // 1 % on a machine of its own
  await page.context().close();
}

/** From the last byte of /api/slo to the frame in which the services and what fits of the objectives
    is seen; best of five. */
async function isQuick(browser) {
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
  });
  await context.addInitScript(() => {
    new MutationObserver((_, watch) => {
      if (document.querySelectorAll('table.fold tbody tr').length < 20) return;
      watch.disconnect();
      requestAnimationFrame(() =>
        setTimeout(() => {
          window.seenAt = performance.now();
        }),
      );
    }).observe(document, { childList: true, subtree: true });
  });
  let best = Infinity;
  for (let i = 0; i < 5; i++) {
    const page = await context.newPage();
    await page.goto(`${world.many}/`);
    await page.waitForFunction(() => window.seenAt, null, { timeout: 30_000 });
    const took = await page.evaluate(
      () =>
        window.seenAt -
        performance
          .getEntriesByType('resource')
          .find((e) => new URL(e.name).pathname === '/api/slo').responseEnd,
    );
    best = Math.min(best, took);
    await page.waitForFunction(
      () => document.querySelectorAll('table.fold tbody tr').length === 100,
    );
    if (i === 0) await page.screenshot({ path: join(world.shots, 'many.png') });
    await page.close();
  }
  console.log(
    `the overview of a hundred objectives is seen ${best.toFixed(0)} ms after the response`,
  );
  // The goal is 100 ms of a machine with nothing else to do; beside other tests it is no more than
  // that nobody made it many times slower.
  that(best < 400, `a hundred objectives are seen within 400 ms on a busy machine: ${best}`);
  await context.close();
}

mkdirSync(world.shots, { recursive: true });
const browser = await chromium.launch({
  executablePath: world.chromium,
  args: ['--no-sandbox', '--disable-gpu'],
});
const parts = {
  looksRight,
  tellsTheTruth,
  asks,
  keys,
  isQuick,
  measures,
  follows,
  writes,
  survives,
};
for (const [name, part] of Object.entries(parts)) {
  if (world.only && !world.only.includes(name)) continue;
  const begin = Date.now();
  try {
    await part(browser);
  } catch (e) {
    that(false, `${name}: ${e.message}`);
  }
  console.log(`  ${name}: ${((Date.now() - begin) / 1000).toFixed(1)} s`);
}
await browser.close();
console.log(`${passed} checks passed, ${failures} failed`);
process.exit(failures ? 1 : 0);
