import type { PropertyDeclarations } from 'lit';
import { Part } from './part.ts';
import type { Details, Terminal } from './shapes.ts';

/** A part of the panel that is about one terminal. */
export class TerminalPart extends Part {
  static override properties: PropertyDeclarations = {
    ...Part.properties,
    terminal: { attribute: false },
    details: { attribute: false },
  };
  declare terminal: Terminal;
  /** What is told of it besides; `undefined` until that has come. */
  declare details: Details | undefined;

  /**
   * Does something at it; whoever shows its details asks for them anew.
   * @returns what it answers; `undefined` when it was refused
   */
  protected async act(action: string, given: object = {}): Promise<unknown> {
    const answer = await this.store.act(
      `/terminals/${encodeURIComponent(this.terminal.name)}/${action}`,
      given,
    );
    this.dispatchEvent(new Event('pressed', { bubbles: true, composed: true }));
    return answer;
  }
}
