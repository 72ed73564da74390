/**
 * Every error that Whorl raises, in one table: what happened, and what to do about it.
 * Search a code here to find its meaning; search it in the code to find where it is raised.
 */
export const ERRORS = {
  // What arrives on a wire.
  FRAME_TOO_SHORT:
    'A frame ended before its header and trailer were complete. Usually noise: check cable and termination.',
  FRAME_TOO_LONG:
    'More bytes than a frame may have arrived without a delimiter. Check baud rate, wiring and termination.',
  FRAME_COBS:
    'The bytes between two delimiters are not valid COBS. Usually noise: check cable and termination.',
  FRAME_CHECKSUM:
    'The checksum of a frame does not match its bytes. Usually noise: check cable and termination.',
  FRAME_VERSION: 'A frame has a version this release does not speak. Update the older side.',
  FRAME_SEALED:
    'A frame is sealed (or plain) where the session expects the opposite. Pair the terminal again.',
  FRAME_FORGED:
    'A frame was not made by the other end of the session: forged, changed on the way, or meant for another. If it goes on, somebody is at the cable; else pair the terminal again.',
  MESSAGE_UNKNOWN: 'A message type is not in the catalogue. Update the older side.',
  MESSAGE_SHORT: 'A message ended inside a field.',
  MESSAGE_LONG: 'A message has bytes after its last field.',
  MESSAGE_RANGE: 'A field holds a value outside its range.',
  USER_ORDER: 'The fields of a user record are not in ascending order, or one appears twice.',
  USER_FIELD: 'A user record has a field number that this release does not know.',
  USER_EMPTY: 'A user record lacks its id.',
  TRANSFER_DIGEST: 'A transferred object does not match its digest. It is transferred again.',
  TRANSFER_UNKNOWN: 'A chunk or commit names a transfer that was never begun.',
  TRANSFER_SIZE: 'A transferred object is larger than the receiver takes, or a chunk lies outside it.',
  EXCHANGE_TIMEOUT:
    'The terminal did not answer in time, repeats included. Check its power, address and wiring.',
  EXCHANGE_REFUSED: 'The terminal refused the request; the reason it gave is in the message.',
  EXCHANGE_UNEXPECTED:
    'The terminal answered with a message that does not belong to the request. Update the older side.',
  PAIRING_CLOSED:
    'The terminal is not being paired. Choose "pair" in its menu, then type the code that it shows.',
  PAIRING_TAKEN: 'Another terminal is paired under this name. `whorl replace` puts the new one in its place.',
  PAIRING_NONE: 'The terminal is not paired. `whorl pair` pairs it.',
  PAIRING_CODE:
    'The code is not the one that the terminal shows, or somebody is between. Look at the display and try again; if it fails again, look who is at the cable.',
  PAIRING_SHARE:
    'The other end of a pairing sent what nobody sends who pairs. Somebody may be at the cable; try again.',
  SESSION_NONE:
    'There is no session with the terminal at the moment; one is opened by itself. `whorl status` says how it is.',
  // The terminal that stands in for hardware.
  TERMINAL_OFF: 'The terminal has no power, or is still starting. Switch it on, or wait.',
  TERMINAL_FULL: 'The terminal holds as many users as it can. Delete some there, or take a larger model.',
  TERMINAL_NO_USER: 'The terminal holds no such user. `whorl-emulator show TERMINAL` lists who is there.',
  TERMINAL_CANNOT_HOLD:
    'The terminal has no such slot, format or field. Take another one, or a model that has it.',
  TERMINAL_LOGIN: 'Nobody is logged in at the terminal. Log in with operator and PIN.',
  TERMINAL_MODE: 'The terminal works offline. Confirm to go online, or switch its mode.',
  TERMINAL_NOT_PORTABLE: 'The terminal is none that is carried about. Take one of a portable model.',
  TERMINAL_PIN: 'Nobody can log in so. Check operator and PIN; after five wrong ones, wait a minute.',
  TERMINAL_SYNCING: 'A sync is under way at the terminal. Wait until it has ended, or cancel it.',
  TERMINAL_UNSENT:
    'Changes that were made at the terminal would be lost. Send them first, or confirm that they may be lost.',
  TERMINAL_UNSYNCED: 'The terminal must have synced once before it can work offline. Sync it.',
  FLASH_FAILED: 'The terminal’s memory could not be read or written. Check disk space and permissions.',
  PTY_LINK:
    'The link to a pseudo-terminal could not be made. Check its folder and permissions, or name another path.',
  PTY_NONE: 'This system offers no pseudo-terminal. Use a tcp line instead.',
  EMULATOR_LISTEN: 'A TCP port of the emulator could not be opened. Is another program using it?',
  EMULATOR_TAKEN:
    'Another emulator is at work there. End it first, or name another place (`--pty FOLDER`, `data:`, `link:`, `--capture`).',
  FLEET_FILE: 'The fleet file cannot be used. The message names the place; see fleet.example.yaml.',
  FLEET_UNKNOWN:
    'Nothing of this name is in the fleet. `whorl-emulator list`, `list lines` and `list modules` tell what is.',
  MODEL_FILE:
    'The model file cannot be used. The message names the place; device-emulator/models has files to begin with.',
  MODEL_UNKNOWN: 'There is no such model or firmware. `whorl-emulator models` lists them.',
  RIG_FILE: 'The rig file cannot be used. The message names the place; see hil-tests/rig.example.yaml.',
  RIG_ABSENT:
    'Of the rig somebody does not answer, so nothing was run; the message says who, and why. Give power to the terminals, check ports and addresses in the rig file, and that nothing else has the ports open.',
  RIG_GONE:
    'Of the rig somebody stopped to answer amid the run, so what came after was left out; the message says who, and why. Check power, cables and ports, then run what was left out again: `--suite` and `--match` choose it.',
  RIG_SUITE: 'No suite of behaviours is called so. `whorl-hil run --help` lists them.',
  CONTROL_REQUEST: 'The request is not one the emulator takes. The message names the place.',
  CONTROL_UNKNOWN:
    'The emulator has nothing of this name. `whorl-emulator do --help` and `whorl-emulator faults` list what it has, `/openapi.json` describes it for programs.',
  CONTROL_METHOD: 'What is there is asked for by another method; the message and the header `allow` name it.',
  CONTROL_FAILED: 'The emulator stumbled over a fault of its own. Report it with the message.',
  CONTROL_UNREACHABLE: 'No emulator answers there. Start one with `whorl-emulator start`.',
  // Lines and terminals.
  LINE_OPEN: 'A line could not be opened; it is tried again by itself. The message says what to check.',
  LINE_CLOSED: 'A line is not open at the moment; it is taken up again by itself.',
  LINE_LISTEN: 'The port for terminals that dial in could not be opened: is another program using it?',
  LINE_UNKNOWN: 'No line of this name is in the configuration. `whorl status` lists them.',
  TERMINAL_UNKNOWN: 'No terminal of this name is in the configuration. `whorl status` lists them.',
  TERMINAL_OFFLINE: 'The terminal does not answer at the moment. `whorl status` says why.',
  TERMINAL_CHUNKS:
    'A terminal did not get an object through in a bounded number of rounds. Check cable and termination.',
  // Portable terminals and their tasks.
  OPERATOR_PIN: 'A PIN has 4 to 12 digits that are not all the same. Type another one.',
  OPERATOR_UNKNOWN: 'No operator has this number. `whorl operators list` lists them.',
  OPERATOR_USED: 'A task is for this operator. Take the operator out of the task first.',
  SITE_UNKNOWN: 'This gateway knows no site of this name. Its own is named as the gateway is.',
  SYNC_NONE: 'No sync session is under way at this terminal. `whorl tasks syncs` lists them.',
  SYNC_UNKNOWN: 'No sync session has this number. `whorl tasks syncs` lists the newest.',
  TASK_FILE_SIZE: 'The file, or all files together, are larger than the gateway keeps. Make it smaller.',
  TASK_FILE_UNKNOWN: 'No file has this name. `whorl tasks files list` lists them.',
  TASK_FILE_USED: 'A task brings this file. Take it out of the task first.',
  TASK_UNKNOWN: 'No task has this number. `whorl tasks list` lists them.',
  TERMINAL_PORTABLE:
    'A portable terminal’s users come and go in sync sessions only: define a task, and sync at the terminal.',
  MODBUS_EXCEPTION:
    'A unit does not have this register, or does not take this value. Compare the configuration with its manual.',
  MODBUS_SILENT:
    'A Modbus unit does not answer. Check its power, unit number, speed and wiring; Modbus runs 8N1 here.',
  REGISTER_UNKNOWN: 'There is no register of this name. `whorl registers` lists them.',
  REGISTER_READONLY:
    'The register can only be read. Say `write: true` in the configuration where it is a relay.',
  // Captures of what crossed a line.
  CAPTURE_DAMAGED:
    'A capture ends in the middle or is damaged. What stands before that place is sound, and was read.',
  CAPTURE_FORMAT: 'The file is no capture in pcapng. Wireshark can save other kinds as pcapng.',
  KEYS_FORMAT: 'A line of the key file cannot be read. It is made by `whorl-emulator start --key-log FILE`.',
  KEYS_OPEN: 'Others may read the key file, which opens what was sealed. Set its permissions to 0600.',
  REPLAY_EMPTY:
    'Nothing in the capture can be played again; the message says why. What is sealed needs the keys of that time: `--key-log` reads the file that `whorl-emulator start --capture FILE --key-log FILE` writes beside the capture. Where there is none, or sessions began before the capture, record anew, from before the terminals are started. Hardware tells no keys: what it says cannot be played.',
  REPLAY_FILE: 'The file is neither a capture nor a recording that `whorl-hil replay --save` wrote.',
  SNIFF_PORT: 'The serial port cannot be listened at. The message says what to check.',
  // Configuration and requests.
  CONFIG_READ: 'The configuration file cannot be read. Check path and permissions.',
  CONFIG_SYNTAX: 'The configuration file is not valid YAML. Mend the line that is named.',
  CONFIG_KEY: 'The configuration file has a key that means nothing. `whorl config schema` lists all.',
  CONFIG_VALUE: 'The configuration file has a value that does not fit. `whorl config schema` says what does.',
  CONFIG_CLASH: 'Two places of the configuration file contradict each other.',
  CONFIG_FILE:
    'A file that the configuration names is missing or cannot be used. Put it there, readable by the gateway’s account; a password for that account only (0600).',
  REQUEST_INVALID: 'The request is not one the gateway takes. The message names the place.',
  REQUEST_SIZE: 'The request is larger than the gateway takes it. Send it in parts.',
  REQUEST_UNKNOWN: 'The gateway has nothing of this name.',
  REQUEST_RATE: 'Requests come faster than the gateway takes them. Wait a few seconds, then repeat.',
  JOB_MANY: 'Too many jobs run at once. Wait until one has ended: `whorl jobs list`.',
  JOB_OVER: 'The job has ended already.',
  JOB_UNKNOWN: 'No job has this number. `whorl jobs list` lists the newest.',
  GIVEN_UP: 'It was given up at the prompt, and nothing was done.',
  USAGE: 'The command is not written as it should be. `--help` behind it shows how.',
  FILE_READ: 'The file cannot be read. Check its name and permissions.',
  FILE_WRITE: 'The file cannot be written. Check folder, permissions and disk space.',
  GATEWAY_UNREACHABLE:
    'No gateway answers here. Start one with `whorl start`, or name its directory with --data.',
  GATEWAY_RUNNING: 'Another gateway runs on this data directory. Stop that one first.',
  IMPORT_ROW: 'A row of the file cannot be used. Mend it, or leave bad rows out with --skip-bad.',
  EXPORT_SEALED: 'The file cannot be decrypted: wrong passphrase, or damaged.',
  HTTP_LISTEN:
    'The address for the API could not be opened. Is another program using the port? `http.port` names it.',
  HTTP_TLS:
    'Certificate or key for the API are missing, damaged, too old, or not meant for each other. Where a date is to blame, look at this machine’s clock first.',
  // Accounts.
  ACCOUNT_EXISTS: 'An account of this name exists already.',
  ACCOUNT_LAST: 'This is the last admin. Make another one first.',
  ACCOUNT_UNKNOWN: 'No account has this name. `whorl accounts list` lists them.',
  AUTH_EXPIRED: 'The token has expired or was revoked. Log in again.',
  AUTH_NEEDED: 'This needs a token: `whorl login --url ADDRESS`, or `Authorization: Bearer TOKEN`.',
  AUTH_ROLE: 'Your role may not do this. Ask an admin.',
  AUTH_WRONG: 'Name or password are wrong.',
  GATEWAY_CERTIFICATE:
    'The gateway shows another certificate than the one that was accepted. Ask its admin whether it was renewed (`whorl status` there shows the fingerprint); then log in again.',
  LOGIN_NEEDED: 'Nobody is logged in at this gateway from here. `whorl login --url ADDRESS` does it.',
  PASSWORD_WEAK: 'A password has at least 12 characters and does not hold the name of the account.',
  SETUP_CODE:
    'The code is not the one that the gateway shows at its start. A new one is shown at each start.',
  SETUP_DONE: 'There is an account already; its admin makes more.',
  TOKEN_UNKNOWN: 'No token has this id. `whorl tokens list` lists them.',
  // MQTT.
  MQTT_BROKER: 'The embedded broker could not be started. Is another program using its port?',
  MQTT_BUSY: 'Commands come faster than the gateway takes them. Wait a few seconds, then repeat it.',
  MQTT_COMMAND: 'The command does not fit. The message names the place; MQTT.md lists what each one holds.',
  MQTT_CONNECT:
    'The MQTT broker does not answer, or refuses; it is tried again by itself. Check url, user, password file, certificate, and where a date is to blame this machine’s clock.',
  MQTT_ID_USED:
    'Each command needs an id of its own. Only a repetition of the same command has the same one.',
  MQTT_JSON: 'A command is a JSON object in UTF-8 with an `id`. MQTT.md has examples.',
  MQTT_PASSWORD:
    'An MQTT password file cannot be used. Only its owner may read it; for the embedded broker, delete it and a new one is made.',
  MQTT_RETAINED:
    'A retained command would be done again at every start, so it is not done at all. Publish it without retain.',
  MQTT_TLS:
    'Certificate, key or authority for MQTT are missing or cannot be used. Beyond this machine MQTT needs TLS.',
  MQTT_TOO_LARGE: 'The command is larger than the gateway takes. Split it.',
  MQTT_UNKNOWN: 'No MQTT command has this name. MQTT.md lists all.',
  // Master and satellites.
  SITES_AWAY:
    'The satellite is not there. Look from its side: `whorl sites test-connection` on its machine says what it waits for.',
  SITES_CLASH:
    'Another machine is bound to this sync id, or the data directory is that of another site: then put each back to its configuration. If this machine replaces the bound one: `whorl sites reset NAME` at the master. Else stop this one, or give it a sync id of its own.',
  SITES_CLONE:
    'Two machines use the identity of this site (a copied data directory, an old image of the disk); who is at work goes on. Stop the wrong one. If the right one is refused: `whorl sites reset NAME` at the master.',
  SITES_CLOCK:
    'The clocks of two gateways differ by more than a minute, so that it cannot be told which change was later. Set both by a time server.',
  SITES_CODE:
    'This is not the code of the sync settings. After five wrong ones the next has to wait. A lost code is taken away at the machine: `whorl sites lock forget-code`.',
  SITES_CODE_NONE:
    'Sync settings can be changed once there is a code for them. An admin sets it: `whorl sites lock set-code`.',
  SITES_CODE_RATE:
    'Too many wrong codes; a restart does not help. Wait as long as the message says. A lost code is taken away at the machine: `whorl sites lock forget-code`.',
  SITES_CODE_WEAK:
    'The code needs at least 8 characters, at least 4 different ones, and may not be a plain sequence.',
  SITES_EXISTS: 'A site with this sync id, name or user is in the list already. `whorl sites list` shows it.',
  SITES_IDENTITY:
    'The file with the identity of this site cannot be read or written. Check permissions and disk of the data directory.',
  SITES_LINK: 'The other gateway does not answer; it is tried again by itself. Check network and broker.',
  SITES_LOCKED:
    'The sync settings are locked. Whoever has their code opens them for a while: `whorl sites unlock --minutes 15`.',
  SITES_MESSAGE: 'The other gateway sent something that does not fit. Update the older side.',
  SITES_NAME:
    'The name of the broker is not known to this machine. Check `site.master.url` in the configuration, and the machine’s name server.',
  SITES_OWNED:
    'Users and policies of this site are kept at the master. Change them there; it comes down by itself.',
  SITES_PASSWORD:
    'Sync id, user name and password of this site are not those of the master’s list, or it is not there yet. Add it at the master (`whorl sites add`), mend the password file, or set the password anew there: `whorl sites set NAME --password`. Then `whorl sites sync` here; else it is tried again every few minutes.',
  SITES_PASSWORD_FILE:
    'The file with this site’s password (`site.master.passwordFile`) cannot be used. It holds the password that the master’s list has for the site, and only its owner may read it (0600).',
  SITES_PORT:
    'The broker’s machine does not answer at this port. Check `site.master.url`, firewalls, and whether the master’s gateway runs.',
  SITES_RATE: 'Too many logins failed. Mend user name and password, then wait a minute.',
  SITES_ROLE:
    'This gateway has not the role that this needs. `site.role` in the configuration says which it has.',
  SITES_TLS:
    'No TLS with the broker. Where a date is to blame, set this machine’s clock first when it is wrong; else check the broker’s certificate: name, date, and the authority that signed it (`site.master.ca`).',
  SITES_TOKEN: 'The master does not know the token of this site; it logs in with its password again.',
  SITES_UNKNOWN:
    'The master’s list has no such site. `whorl sites list` there shows all; `whorl sites add` adds one.',
  SITES_VERSION: 'Master and satellite speak different versions of the sync. Update the older one.',
  SITES_WAIT:
    'What came from the master waits until it has been told what was changed here; that happens by itself with the next exchange.',
  MEMBER_ELSEWHERE:
    'Another process of those that share the database does this. Ask it there; the message names it.',
  // The database.
  STORE_BUSY:
    'Another program holds the database, or another gateway runs on it. Stop that one; the work is tried again.',
  STORE_FOLDER:
    'The data directory cannot be made there. Name one on a disk where the gateway may write: `data:` in the configuration, or --data.',
  STORE_FULL: 'The disk or the database is full. Make room; the work is tried again.',
  STORE_READONLY: 'The database may not be written. Check permissions of the data directory.',
  STORE_IO: 'The disk did not read or write the database. Check the disk; the work is tried again.',
  STORE_CORRUPT: 'The database is damaged. Restore a backup; the terminals still hold their users.',
  STORE_REFUSED:
    'The database server refuses the login, or has no such database. Check user, password file, database name and pg_hba.conf.',
  STORE_UNREACHABLE:
    'The database server does not answer; the work is tried again by itself. Check host, port, network and the server.',
  STORE_MISSING: 'There is no database. Name its data directory by --data, or the configuration by --config.',
  STORE_NEWER: 'The database was made by a newer release. Update the gateway.',
  STORE_VANISHED:
    'This gateway had a database, and it is gone or empty. Put it back, or the newest backup: `whorl restore FILE`, and with a server `whorl db copy` after that. To begin with an empty one all the same: `whorl start --fresh`, once.',
  STORE_CLOSED:
    'The database is closed: the gateway is stopping, or the thread that works on it ended. Start the gateway again; what was acknowledged is stored.',
  BACKUP_BAD:
    'The backup cannot be used, or could not be made; nothing of it was kept. Make another, or take an older one.',
  BACKUP_EXISTS: 'A file of this name is there already. Choose another name; backups are never overwritten.',
  BACKUP_KEYS:
    'The data keys of the backup are not there. Put the whorl-….keys file that lay beside the backups beside it.',
  BACKUP_MASTER:
    'The data keys of the backup are under another master key than this machine has: one from before the key was changed, or of another machine. Name a file that holds it: `whorl restore … --master-key FILE`.',
  DATABASE_REPLACES:
    'The server holds a database of a gateway already. Copy with --yes to put this one in its place; the other is kept aside.',
  BACKUP_REPLACES:
    'A database is there. Restore with --yes to put the backup in its place; it is kept aside.',
  VAULT_ERASED: 'The data key was destroyed: the user was erased.',
  VAULT_SHARED:
    'Other processes work on the same database, and would not have the next key. Stop them, change the key, and give each the new master.key before it starts.',
  VAULT_KEY_MISSING:
    'The database is encrypted and its master key file is not there. Put the key file back beside the database.',
  VAULT_KEY_WRONG:
    'The database opens with its own master key only, and nothing else does. Put the copy of it that you keep elsewhere in the place that is named; or restore a backup together with its key.',
  VAULT_KEY_OPEN: 'Others may read the master key file. Set its permissions to 0600.',
  VAULT_NEXT_KEY:
    'A new master key has to come from where the present one comes from. Make one with `openssl rand -base64 32`, give it to the gateway as the systemd credential whorl-master-key-next or the variable WHORL_MASTER_KEY_NEXT beside the present one, start the gateway again, then repeat.',
  VAULT_ROTATING: 'The master key is being changed already. `whorl vault status` says how far it is.',
  VAULT_SEALED:
    'A stored user could not be decrypted: the database was damaged or tampered with. Restore a backup.',
  // Users.
  USER_UNKNOWN: 'No user has this id. `whorl users list` lists them.',
  USER_EXISTS: 'A user with this id exists already. Use `whorl users edit`.',
  USER_CHANGED: 'Somebody else changed the user meanwhile. Look at it again, then repeat the edit.',
  // The guard against mass removal.
  GUARD_CHANGED:
    'Who would be removed, or by an import overwritten, has changed since the dry run, or it was one of another change. Make the dry run again and look at it.',
  GUARD_EXCEEDED:
    'That is more than `guardUsers` or `guardPercent` let pass. Look at it with a dry run, then repeat the change with the code to confirm that it answers.',
  // Conflicts.
  CONFLICT_CHANGED:
    'The user was changed after the conflict was decided, so that the decision cannot be taken back. Edit the user instead.',
  CONFLICT_DECIDED: 'The conflict was decided otherwise already. `whorl conflicts undo` opens it again.',
  CONFLICT_KIND: 'Only two people under one id can be told apart by a new id. Accept ours or theirs.',
  CONFLICT_UNKNOWN: 'There is no such conflict. `whorl conflicts list` lists them.',
  // Time.
  ABORTED: 'The work was cancelled before it ended.',
} as const satisfies Record<string, string>;

export type ErrorCode = keyof typeof ERRORS;

/** An error with a code to search for and, in its message, the place and what to do. */
export class WhorlError extends Error {
  override readonly name = 'WhorlError';
  readonly code: ErrorCode;

  /**
   * @param code a row of {@link ERRORS}
   * @param detail what and where, in the words of this one case; the row's text follows it. Where it tells of another
   *   error of the same code, that one's code is left out: it stands before all of it
   */
  constructor(code: ErrorCode, detail: string, options?: ErrorOptions) {
    super(detail.replaceAll(`${code}: `, ''), options);
    this.code = code;
  }

  /** What to do about it: the row's text. */
  get remedy(): string {
    return ERRORS[this.code];
  }
}

/** The code of any thrown value, for counters and answers; `undefined` when it is none of ours. */
export function codeOf(error: unknown): ErrorCode | undefined {
  return error instanceof WhorlError ? error.code : undefined;
}

/** What went wrong, without its code: for whoever tells that beside it. */
export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** One line for people: `CODE: detail`, for any thrown value. */
export function describe(error: unknown): string {
  return error instanceof WhorlError ? `${error.code}: ${error.message}` : textOf(error);
}
