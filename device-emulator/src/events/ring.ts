/** The newest items, as many as fit, with ascending ids. */
export class Ring<Item extends { readonly id: number }> {
  readonly #items: (Item | undefined)[];
  #count = 0;
  #lost = 0;

  /** @param size items kept before the oldest is overwritten */
  constructor(size: number) {
    this.#items = Array.from({ length: size });
  }

  push(item: Item): void {
    const place = this.#count % this.#items.length;
    this.#lost = this.#items[place]?.id ?? 0;
    this.#items[place] = item;
    this.#count += 1;
  }

  /** Id of the newest item that was overwritten; 0 when none was. */
  get lost(): number {
    return this.#lost;
  }

  /** The oldest item with an id above `id`. */
  after(id: number): Item | undefined {
    let [low, high] = [Math.max(0, this.#count - this.#items.length), this.#count];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#at(middle)?.id ?? 0) > id) high = middle;
      else low = middle + 1;
    }
    return this.#at(low);
  }

  #at(index: number): Item | undefined {
    return index < this.#count ? this.#items[index % this.#items.length] : undefined;
  }
}
