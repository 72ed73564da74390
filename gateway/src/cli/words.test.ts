import { Command } from 'commander';
import { expect, test } from 'vitest';
import { inWordsOf } from './words.ts';

const whorl = new Command('whorl').option('--url <address>');
const sites = whorl.command('sites').option('--user <id>');
const add = sites.command('add').argument('<name>').option('--id <number>').option('--address <url>');
const edit = whorl.command('edit').option('--card <hex>').option('-g, --groups <list>');
const tasks = whorl.command('tasks').option('--from <date>').option('--valid-until <date>');

function told(command: Command, place: string | undefined, text = 'does not fit'): string {
  const message = place === undefined ? text : `${place}: ${text}`;
  const view = { code: 'REQUEST_INVALID', message, remedy: '', ...(place === undefined ? {} : { place }) };
  return inWordsOf(command, view).message;
}

test.each([
  ['an option of another name', add, 'body.syncId', '--id: does not fit'],
  ['an argument', add, 'path.name', '<name>: does not fit'],
  ['an option of all commands is not meant', add, 'body.url', '--address: does not fit'],
  ['an option of the command above', add, 'query.user', '--user: does not fit'],
  ['what lies inside of something', edit, 'body.cards.0.number', '--card: does not fit'],
  ['one of a list', edit, 'body.slice.who.groups.3', '--groups: does not fit'],
  ['several words', tasks, 'body.validUntil', '--valid-until: does not fit'],
  ['a name that another command has', tasks, 'body.validFrom', '--from: does not fit'],
  ['what nobody typed so', tasks, 'body.merge.name', 'merge.name: does not fit'],
  ['a request as a whole', tasks, 'body', 'does not fit'],
  ['no place', tasks, undefined, 'does not fit'],
])('a place of a request is told in the words of the command line: %s', (_, command, place, words) => {
  expect(told(command, place)).toBe(words);
});

test('programs get the same place as people', () => {
  const view = { code: 'REQUEST_INVALID', message: 'body.syncId: no', place: 'body.syncId', remedy: '' };
  expect(inWordsOf(add, view)).toMatchObject({ place: '--id', message: '--id: no' });
});
