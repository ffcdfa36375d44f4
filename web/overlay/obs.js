// Whether anybody can see this page: OBS shows and hides sources, browsers hide tabs.

/** Watches visibility; `changed(state)` is called after every change. */
export function watch(changed) {
  const state = { visible: !document.hidden, active: true };
  let shownByObs = true;

  function update(active) {
    const visible = shownByObs && !document.hidden;
    if (visible === state.visible && active === state.active) return;
    Object.assign(state, { visible, active });
    changed(state);
  }

  document.addEventListener('visibilitychange', () => update(state.active));
  window.addEventListener('obsSourceVisibleChanged', (event) => {
    shownByObs = event.detail?.visible !== false;
    update(state.active);
  });
  window.addEventListener('obsSourceActiveChanged', (event) => update(event.detail?.active !== false));
  return state;
}
