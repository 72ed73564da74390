import { LitElement } from 'lit';
import type { PropertyDeclarations } from 'lit';
import type { Store } from './store.ts';

/** A part of the panel that follows the store. */
export class Part extends LitElement {
  static override properties: PropertyDeclarations = { store: { attribute: false } };
  declare store: Store;
  readonly #update = (): void => {
    this.requestUpdate();
  };

  override connectedCallback(): void {
    super.connectedCallback();
    this.store.addEventListener('change', this.#update);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.store.removeEventListener('change', this.#update);
  }
}
