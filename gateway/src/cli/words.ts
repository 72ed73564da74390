import type { Command } from 'commander';
import type { ErrorView } from '../http/errors.ts';

/** What the API calls otherwise than the command line: options by their attribute, arguments by their name. */
const OTHERWISE: Readonly<Record<string, readonly string[]>> = {
  cards: ['card'],
  code: ['codeFile'],
  current: ['currentFile'],
  format: ['cardFormat'],
  id: ['number', 'task'],
  intervalMinutes: ['minutes'],
  label: ['for'],
  limit: ['last'],
  password: ['passwordFile'],
  pin: ['pinFile'],
  scope: ['groups'],
  syncId: ['id'],
  terminal: ['from'],
  terminals: ['to'],
  until: ['to'],
  url: ['address'],
  users: ['user', 'file'],
  validFrom: ['from'],
  validUntil: ['until'],
};

/**
 * An error as whoever typed the command knows it: places of a request are named by the option or argument that they were
 * made from, and by the rest of the place where there is none.
 */
export function inWordsOf(command: Command, view: ErrorView): ErrorView {
  const { place, message } = view;
  const head = `${place ?? ''}: `;
  if (place === undefined || !message.startsWith(head)) return view;
  const [, ...path] = place.split('.');
  const named = path
    .toReversed()
    .flatMap((part) => [part, ...(OTHERWISE[part] ?? [])])
    .map((word) => wordOf(command, word))
    .find((word) => word !== undefined);
  const shown = named ?? path.join('.');
  const text = message.slice(head.length);
  return { ...view, place: shown, message: shown === '' ? text : `${shown}: ${text}` };
}

/** `--sync-id` or `<name>`, when the command or the one that it belongs to has it. */
function wordOf(command: Command, word: string): string | undefined {
  const option = command.options.find((one) => one.attributeName() === word);
  if (option !== undefined) return option.long ?? option.flags;
  if (command.registeredArguments.some((one) => one.name() === word)) return `<${word}>`;
  // What all commands have says which gateway is meant, and nothing of what is asked there.
  const above = command.parent?.parent ? command.parent : undefined;
  return above && wordOf(above, word);
}
