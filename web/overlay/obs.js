// Whether anybody can see this page: OBS shows and hides sources, browsers hide tabs.

/** Watches visibility; `changed(state)` is called after every change. */
export function watch(changed) {
  const state = { visible: true, active: true, plugin: String(window.obsstudio?.pluginVersion ?? '').slice(0, 32) };
  let shownByObs = true;

  function update(active) {
    const visible = shownByObs && !document.hidden;
    if (visible === state.visible && active === state.active) return;
    Object.assign(state, { visible, active });
    changed(state);
  }

  state.visible = !document.hidden;
  document.addEventListener('visibilitychange', () => update(state.active));
  window.addEventListener('obsSourceVisibleChanged', (event) => {
    shownByObs = event.detail?.visible !== false;
    update(state.active);
  });
  window.addEventListener('obsSourceActiveChanged', (event) => update(event.detail?.active !== false));
  return state;
}
