// @ts-check
// Tells whether anybody can see this page: OBS shows and hides sources, browsers hide tabs.

/** @typedef {{ visible: boolean, active: boolean }} Visibility `active`: the source is on air */

/**
 * Watches the visibility of the page and returns its state, which stays up to date.
 * @param {(state: Visibility) => void} changed is called after every change
 */
export function watchVisibility(changed) {
  const state = { visible: !document.hidden, active: true };
  let shownByObs = true;

  /** @param {boolean} active */
  function update(active) {
    const visible = shownByObs && !document.hidden;
    if (visible === state.visible && active === state.active) return;
    Object.assign(state, { visible, active });
    changed(state);
  }

  document.addEventListener('visibilitychange', () => update(state.active));
  window.addEventListener('obsSourceVisibleChanged', (event) => {
    shownByObs = detail(event).visible !== false;
    update(state.active);
  });
  window.addEventListener('obsSourceActiveChanged', (event) => update(detail(event).active !== false));
  return state;
}

/** @param {Event} event an event of OBS's browser source */
function detail(event) {
  return /** @type {CustomEvent<Partial<Visibility> | null>} */ (event).detail ?? {};
}
