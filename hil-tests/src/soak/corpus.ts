import { Call, MemoryFlash, MODELS, Terminal } from '@whorl/device-emulator';
import {
  captureHead,
  Cpace,
  decodeMessage,
  decodeRun,
  decodeUser,
  encodeUser,
  fromWire,
  FrameSplitter,
  groupSession,
  handWire,
  hereWire,
  INVITATION_WIRE,
  isShort,
  MESSAGE_NAMES,
  hereFrom,
  NoiseInitiator,
  openChunk,
  packetBlock,
  patched,
  patchOf,
  plainSession,
  prologueOf,
  readBatch,
  readCapture,
  readHand,
  readHere,
  readPatches,
  readRecord,
  respond,
  sealChunk,
  sealedSession,
  seededRandom,
  showMessage,
  Sketch,
  toWire,
  unstuff,
  VirtualClock,
  wholePatch,
  writeBatch,
  writePatches,
} from '@whorl/protocol';
import type { NoiseKeys, Session, User } from '@whorl/protocol';
import { EXAMPLES } from '@whorl/protocol/spec/examples';
import { Channel, sessionOf } from '@whorl/gateway/sites/channel';
import { fitting, readLogin, writeLogin } from '@whorl/gateway/sites/login-words';
import { readMessage, writeMessage } from '@whorl/gateway/sites/message';
import { upSchema } from '@whorl/gateway/sites/requests';

/** Something sound that is damaged, and what reads it. */
export interface Seed {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly decode: (bytes: Uint8Array) => void;
  /** What is slow, for it works with big numbers, is tried once in so many rounds. */
  readonly every: number;
}

const ADDRESS = 7;
const SERIAL = 'WX-000007';
const REQUEST = { address: ADDRESS, fromTerminal: false, attention: false };
const ANSWER = { address: ADDRESS, sequence: 7, fromTerminal: true, attention: true };

/** One of everything that comes from a wire: plain and sealed frames, handshakes, pairings, records. */
export function corpus(): Seed[] {
  return [
    ...plainFrames(),
    ...sealedFrames(),
    ...shortFrames(),
    ...handshakes(),
    ...heard(),
    ...records(),
    ...betweenGateways(),
  ];
}

function quick(name: string, bytes: Uint8Array, decode: Seed['decode']): Seed {
  return { name, bytes, decode, every: 1 };
}

function plainFrames(): Seed[] {
  const wire = (bytes: Uint8Array): void => {
    new FrameSplitter().push(bytes, (stuffed) => {
      showMessage(decodeMessage(fromWire(plainSession, stuffed).payload));
    });
  };
  return MESSAGE_NAMES.flatMap((name) => {
    const bytes = toWire(plainSession, { ...REQUEST, sequence: 7 }, name, EXAMPLES[name]);
    const { payload } = fromWire(plainSession, bytes.subarray(0, -1));
    return [
      quick(`wire ${name}`, bytes, wire),
      quick(`message ${name}`, payload.slice(), (input) => void showMessage(decodeMessage(input))),
    ];
  });
}

function keys(): NoiseKeys {
  const random = seededRandom(11);
  return { forth: random.bytes(32), back: random.bytes(32), hash: random.bytes(32) };
}

function sealedFrames(): Seed[] {
  const [gateway, terminal] = [sealedSession('gateway', keys()), sealedSession('terminal', keys())];
  const opened = (session: Session) => (input: Uint8Array) => {
    const frame = fromWire(session, input);
    if (frame.fresh) decodeMessage(frame.payload);
  };
  const request = toWire(gateway, { ...REQUEST, sequence: gateway.nextSequence() }, 'logs.read', {
    after: 9,
  });
  const answer = toWire(terminal, ANSWER, 'logs.page', EXAMPLES['logs.page']);
  return [
    quick('sealed request', request.slice(0, -1), opened(terminal)),
    quick('sealed answer', answer.slice(0, -1), opened(gateway)),
  ];
}

function shortFrames(): Seed[] {
  const session = sealedSession('terminal', keys());
  const read = (input: Uint8Array): void => {
    const bytes = unstuff(input);
    if (!isShort(bytes)) return;
    if (bytes.length === 4) readHand(bytes);
    else if (hereFrom(bytes) === ADDRESS) readHere(session, 5, bytes);
  };
  const wires = [INVITATION_WIRE, handWire(ADDRESS), hereWire(session, 5, ADDRESS, true)];
  return wires.map((wire) => quick('short frame', wire.slice(0, -1), read));
}

function handshakes(): Seed[] {
  const random = seededRandom(12);
  const parts = (): { psk: Uint8Array; prologue: Uint8Array; ephemeral: Uint8Array } => ({
    psk: new Uint8Array(32).fill(5),
    prologue: prologueOf(SERIAL, ADDRESS),
    ephemeral: random.bytes(32),
  });
  const begun = new NoiseInitiator(parts()).begin();
  const pair = (): Cpace =>
    new Cpace({
      code: Buffer.from('123456'),
      channel: prologueOf(SERIAL, ADDRESS),
      id: new Uint8Array(16),
      secret: random.bytes(32),
    });
  return [
    { name: 'handshake', bytes: begun, decode: (input) => void respond(parts(), input), every: 50 },
    {
      name: 'handshake answer',
      bytes: respond(parts(), begun).answer,
      decode: (input) => {
        const initiator = new NoiseInitiator(parts());
        initiator.begin();
        initiator.finish(input);
      },
      every: 50,
    },
    {
      name: 'pairing share',
      bytes: pair().share,
      decode: (share) => void pair().key({ share }, { begins: true }),
      every: 500,
    },
  ];
}

/** A terminal that hears damaged requests: plain ones, those of its session and those for all. */
function heard(): Seed[] {
  const terminal = new Terminal({
    serial: SERIAL,
    address: ADDRESS,
    model: MODELS['finger-10k'],
    clock: new VirtualClock(),
    random: seededRandom(13),
    flash: new MemoryFlash(),
  });
  const key = new Uint8Array(32).fill(6);
  terminal.setKey(key);
  const plain = (name: 'discover' | 'pair.begin' | 'session.open', body: object): Uint8Array =>
    toWire(plainSession, { ...REQUEST, sequence: 3 }, name, { ...EXAMPLES[name], ...body }).subarray(0, -1);
  const noise = new NoiseInitiator({ psk: key, prologue: prologueOf(SERIAL, ADDRESS), ephemeral: key });
  const [accepted] = terminal.hear(plain('session.open', { handshake: noise.begin() }));
  const answer = decodeMessage(fromWire(plainSession, (accepted ?? key).subarray(0, -1)).payload);
  if (answer.name !== 'session.accept') throw new Error('the terminal of the fuzz target takes no session');
  const session = sealedSession('gateway', noise.finish(answer.body.handshake).keys);
  const say = (name: 'hello' | 'group.set' | 'users.digests', body: object): Uint8Array => {
    const header = { ...REQUEST, sequence: session.nextSequence() };
    return toWire(session, header, name, { ...EXAMPLES[name], ...body }).slice(0, -1);
  };
  const greeting = say('hello', {});
  terminal.hear(greeting);
  const group = groupSession('gateway', { key, next: 0 });
  terminal.hear(say('group.set', group.handOver()));
  const header = { ...REQUEST, address: 0, sequence: group.nextSequence() };
  const call = toWire(group, header, 'roll.call', EXAMPLES['roll.call']).slice(0, -1);
  const hear = (input: Uint8Array): void => void terminal.hear(input);
  return [
    quick('heard in plain', plain('discover', {}).slice(), hear),
    quick('heard in the session', say('users.digests', { after: 0 }), hear),
    quick('heard by all', call, (input) => void terminal.hearCall(new Call(input))),
    { name: 'heard handshake', bytes: plain('session.open', {}).slice(), decode: hear, every: 50 },
    { name: 'heard pairing', bytes: plain('pair.begin', {}).slice(), decode: hear, every: 50 },
  ];
}

function records(): Seed[] {
  const template = new Uint8Array(384).fill(7);
  const ada: User = {
    id: 1042,
    name: 'Ada',
    groups: [1, 2],
    'card.0': { format: 1, number: template.subarray(0, 7) },
    'finger.3': { format: 1, quality: 80, first: template, second: template },
  };
  const user = encodeUser(ada);
  const held = new Map([
    [1, new Uint8Array(16)],
    [2, new Uint8Array(16)],
  ]);
  const patches = writePatches([patchOf(readRecord(user), held), wholePatch(readRecord(user))]);
  const sketch = new Sketch(32);
  for (let id = 1; id <= 12; id += 1) sketch.toggle({ id, tag: 7_000_001 * id });
  const wire = toWire(plainSession, { ...REQUEST, sequence: 7 }, 'discover', {});
  const capture = Buffer.concat([
    captureHead([{ name: 'floor', baud: 115_200 }]),
    packetBlock(0, { timeUs: 1e15, direction: 'to-terminal', bytes: wire }),
  ]);
  return [
    quick('user', user, (input) => void decodeUser(input)),
    quick('record', user, (input) => void readRecord(input)),
    quick('patches', patches, (input) => {
      for (const patch of readPatches(input)) patched(readRecord(user), patch);
    }),
    quick('shared chunk', sealChunk(template.subarray(0, 32), 3, template), (input) => {
      openChunk(template.subarray(0, 32), 3, input);
    }),
    { name: 'sketch', bytes: sketch.bytes(0, 32), decode: comesApart, every: 20 },
    quick('capture', capture, (input) => {
      for (const packet of readCapture(input)) decodeRun(packet.bytes);
    }),
    quick('batch', writeBatch([readRecord(user), readRecord(user)]), (input) => void readBatch(input)),
  ];
}

/** What master and satellite say to each other over a broker. */
function betweenGateways(): Seed[] {
  const by = { origin: 'terminal', terminal: 'north/door', time: 1 };
  const row = { user: 7, born: '', base: 0, parts: [{ by, blob: 0 }] };
  const request = { ask: 'offers', rows: [row], cursor: { run: 'a', seq: 1 } };
  const record = encodeUser({ id: 7, name: 'Ada' });
  const offers = writeMessage({ body: { id: 1, request }, blobs: [record] });
  const long = writeMessage({
    body: { id: 1, request: { ...request, rows: Array(40).fill(row) } },
    blobs: [record],
  });
  const said = (input: Uint8Array): void => {
    const { body, blobs } = readMessage(input);
    fitting(upSchema, body, 'a request');
    for (const blob of blobs) readRecord(Uint8Array.from(blob));
  };
  const hello = {
    step: 'hello',
    protocol: 1,
    version: '1',
    user: 'north',
    id: 'AAAA',
    share: 'AAAA',
  } as const;
  const sealed = new Channel(keys(), true).seal(offers);
  return [
    quick('offers of a site', offers, said),
    quick('offers of a site, deflated', long, said),
    quick('login of a site', writeLogin(hello), (input) => void readLogin(input)),
    quick('sealed message of a site', sealed, (input) => {
      sessionOf(input);
      new Channel(keys(), false).open(input);
    }),
  ];
}

/** Symbols as a terminal may answer them: who differs is looked for. */
function comesApart(input: Uint8Array): void {
  const left = new Sketch(32);
  left.subtract(input, 0);
  left.differences(32);
}
