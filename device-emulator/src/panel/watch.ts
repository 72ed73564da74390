/**
 * Says what is missing when the panel cannot start: one file of it that does not come would leave the page blank. It
 * imports nothing, so that it runs whatever else is missing, and stands before the panel in the page.
 */
function tell(): void {
  // Once it has started, the panel speaks for itself.
  if (customElements.get('front-panel') !== undefined) return;
  const place = document.querySelector('front-panel');
  if (place === null) return;
  const alert = document.createElement('p');
  alert.role = 'alert';
  const missing = missingFiles();
  alert.textContent =
    missing.length === 0
      ? 'The front panel could not be started; the browser’s console says why.'
      : `The front panel could not be loaded: ${missing.join(', ')} did not come. Is the emulator still running?`;
  const again = document.createElement('button');
  again.textContent = 'Load it again';
  again.addEventListener('click', () => {
    location.reload();
  });
  place.replaceChildren(alert, again);
}

function missingFiles(): string[] {
  // eslint-disable-next-line no-restricted-globals -- no time is asked for: only what was loaded
  return performance
    .getEntriesByType('resource')
    .filter((one) => one instanceof PerformanceResourceTiming)
    .filter(({ initiatorType, responseStatus }) => initiatorType !== 'beacon' && responseStatus !== 200)
    .map(({ name }) => new URL(name).pathname);
}

// A script that cannot be loaded tells only itself, on the way down to it.
addEventListener('error', tell, { capture: true });
export {};
