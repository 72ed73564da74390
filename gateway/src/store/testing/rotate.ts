import type { Rotated, VaultStore } from '../vault-store.ts';

/** Changes the master key from where it stands to the end. @param after each step */
export async function rotateAll(vault: VaultStore, after: () => void = () => undefined): Promise<Rotated> {
  await vault.begin(7);
  after();
  while ((await vault.reseal()) > 0) after();
  const rotated = await vault.finish(8);
  after();
  return rotated;
}
