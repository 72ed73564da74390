import type {
  Body,
  Capabilities,
  GroupEnd,
  GroupKey,
  Message,
  MessageName,
  Refusal,
  Session,
} from '@whorl/protocol';
import type { Model } from './model.ts';
import type { Offers } from './offers.ts';
import type { ListedTask, Operator } from './portable/lists.ts';
import type { Portable } from './portable/portable.ts';
import type { Store } from './store.ts';

/** Pages of lists that are not complete yet, until the session ends. */
export interface Pages {
  tasks: readonly ListedTask[];
  operators: readonly Operator[];
}

/** What a terminal knows of the gateway that it talks with, until it loses power. */
export interface Conversation {
  readonly session: Session;
  readonly offers: Offers;
  /** The session of the line for broadcasts, once the gateway has handed over its key. */
  group: GroupEnd | undefined;
  /** Keys of objects whose chunks are said to all and meant for some, by transfer. */
  readonly shared: Map<number, Uint8Array>;
  /** Last record that the gateway said it has. */
  readTo: number;
  /** What is said about users is about the next table. */
  slice: boolean;
  readonly pages: Pages;
}

/** What it takes to answer a request. */
export interface Desk {
  /** Says why a request is refused that would be carried out. */
  readonly refuses: ((request: Message) => Refusal | undefined) | undefined;
  readonly serial: string;
  readonly model: Model;
  readonly store: Store;
  /** Of a terminal that is one. */
  readonly portable: Portable | undefined;
  /** What it cannot do although it says so. */
  readonly lacks: Iterable<Partial<Capabilities>>;
  readonly conversation: Conversation;
  /** Hears the broadcasts of the line from now on. */
  join(group: GroupKey): void;
  /** A message as the frame that answers the request, on the wire. */
  readonly reply: <Name extends MessageName>(name: Name, body: Body<Name>) => Uint8Array;
}
