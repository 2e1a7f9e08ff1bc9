/** Names that hold the marks of a channel, in the texts that amtool makes of the shipped templates. */
import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../support/folder.js';
import { hasProgram } from '../support/programs.js';

const templates = path.resolve(import.meta.dirname, '../../alerts/templates/*.tmpl');

async function rendered(template: string, connector: string, command = `Get-Queue -Filter '${connector}'`) {
  const file = path.join(await temporaryFolder(), 'data.json');
  const alert = {
    status: 'firing',
    labels: { severity: 'critical', server: 'exch01', connector, destination: '[2001:db8::1]:25' },
    annotations: {
      summary: `${connector} cannot reach it`,
      description: `${connector} has one error.`,
      command,
      command_where: 'exch01',
      runbook_url: 'http://e/runbooks/A_b~c?x=_y_&z=*',
      dashboard_url: 'http://g/d/a_b',
    },
    startsAt: '2026-11-28T12:00:00Z',
    endsAt: '0001-01-01T00:00:00Z',
  };
  const data = { status: 'firing', receiver: 'r', alerts: [alert, alert], commonLabels: { severity: 'critical' } };
  await writeFile(file, JSON.stringify(data));
  const type = template.endsWith('html') ? 'html' : 'text';
  const words = ['template', 'render', `--template.glob=${templates}`, `--template.data=${file}`];
  const what = `--template.text={{ template "send-connector.${template}" . }}`;
  return execFileSync('amtool', [...words, `--template.type=${type}`, what], { encoding: 'utf8' });
}

describe.skipIf(!hasProgram('amtool'))('16.3: marks of a channel in a name', () => {
  test('in Slack none begins code, bold, italics, strike-through, a link or a quote', async () => {
    const text = await rendered('slack.text', '> A `b` *c* _d_ __e__ ~f~ <!channel> & relay_out_1 a|b');
    const [line = ''] = text.split('\n');
    expect(line).toBe('› A ˋbˋ ∗c∗ ˍd_ ˍˍe_ˍ ∼f∼ &lt;!channel&gt; &amp; relay_out_1 a|b has one error.');
    expect(text).not.toContain('<!');
    // The summary of the second alert is ours to make bold, and its two asterisks are the only ones of its line.
    expect(
      text
        .split('\n')
        .find((each) => each.startsWith('*'))
        ?.match(/\*/g),
    ).toHaveLength(2);
    expect(await rendered('slack.title', '`a` *b*')).toContain('ˋaˋ ∗b∗ cannot reach it');
  });

  test('in Slack a command is shown as it is, or not at all where a grave accent would end its code', async () => {
    const text = await rendered('slack.text', 'plain', "Get-SendConnector 'a*b_c' | Format-List <x>");
    expect(text).toContain("Next, on exch01: `Get-SendConnector 'a*b_c' | Format-List &lt;x&gt;`\n");
    const hidden = await rendered('slack.text', 'plain', "Get-SendConnector 'a` *b'");
    expect(hidden).toContain('Next, on exch01: the command is on the page behind “What to do”\n');
    expect(hidden).not.toContain('`');
  });

  test('in Slack addresses stay whole', async () => {
    const text = await rendered('slack.text', 'plain');
    expect(text).toContain('<http://e/runbooks/A_b~c?x=_y_&amp;z=*|What to do> | <http://g/d/a_b|Dashboard>');
  });

  test('in Teams each mark has its backslash, also where it would begin a list', async () => {
    const text = await rendered('teams.text', '1. [a](http://b) `c` *d* _e_ <f> & \\');
    const name = String.raw`1\. \[a\](http://b) \`c\` \*d\* \_e\_ &lt;f&gt; &amp; \\`;
    expect(text.split('\n')[0]).toBe(`${name} has one error.`);
    expect(text).toContain(`**${name} cannot reach it**`);
    expect((await rendered('teams.text', '- x')).split('\n')[0]).toBe(String.raw`\- x has one error.`);
    // An address is no list.
    expect((await rendered('teams.text', '203.0.113.25:25')).split('\n')[0]).toBe('203.0.113.25:25 has one error.');
    expect(await rendered('teams.title', '[a](http://b) *c*')).toContain('[a] (http://b) ∗c∗ cannot reach it');
  });

  test('in mail they are text', async () => {
    const html = await rendered('html', '<img src=x> & "q" `c`');
    expect(html).toContain('&lt;img src=x&gt; &amp; ');
    expect(html).not.toContain('<img');
  });
});
