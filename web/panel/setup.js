// @ts-check
// The operator's sections: the overlay's address, the keys and the models. A moderator's token may not read them.

import { whenReleased } from './aim.js';
import { act, call } from './api.js';
import { button, byId, element, field, toClipboard, typed } from './dom.js';

/** @import { Model, NamedTrigger } from './types.js' */

/** Fills the sections, or hides them where the token may not read them. */
export function showSetup() {
  byId('copy-url').addEventListener('click', () =>
    act(() => toClipboard(field('overlay-url').value, byId('copy-url'))),
  );
  byId('show-url').addEventListener('click', reveal);
  showKeys().catch(() => hideSection('h-keys'));
  showOverlayUrl().catch(() => hideSection('h-setup'));
  showModels().catch(() => hideSection('h-models'));
}

async function showModels() {
  /** @type {{ machine: string, models: Model[] }} */
  const { machine, models } = await (await call('GET', '/api/v1/models')).json();
  byId('models-machine').textContent = `This machine: ${machine}`;
  byId('model-rows').replaceChildren(...models.map(modelRow));
}

/** @param {Model} model */
function modelRow(model) {
  const time = model.seconds === null ? 'not measured' : `${model.seconds.toFixed(2)} s a picture`;
  const earning = { yes: 'may earn money', no: 'may not earn money' }[model.earning_streams] ?? model.earning_streams;
  const steps = model.steps === 1 ? '1 step' : `${model.steps} steps`;
  const facts = [
    steps,
    model.size,
    model.edits ? 'edits' : 'no edits',
    `${model.download} GB to download`,
    model.licence,
    earning,
  ];
  return element(
    'li',
    {},
    element('p', {}, element('strong', {}, model.name), ` ${model.here}; ${time}`),
    element('p', { className: 'by' }, facts.join(' · ')),
    element('p', { className: 'by' }, `Memory: ${model.memory}`),
  );
}

async function showKeys() {
  /** @type {NamedTrigger[]} */
  const triggers = await (await call('GET', '/api/v1/named_triggers')).json();
  whenReleased(byId('keys'), () => {
    byId('presses').replaceChildren(...triggers.map(pressButton));
    byId('keys').replaceChildren(...triggers.map(keyRow));
  });
}

async function showOverlayUrl() {
  field('overlay-url').value = (await (await call('GET', '/api/v1/overlay')).json()).url;
}

/** @param {string} heading */
function hideSection(heading) {
  const section = byId(heading).parentElement;
  if (section === null) return;
  whenReleased(section, () => {
    section.hidden = true;
  });
}

/** @param {NamedTrigger} trigger */
function pressButton({ name }) {
  return button(name, () => act(() => call('POST', `/trigger/${encodeURIComponent(name)}`)), {
    label: `Press ${name}`,
  });
}

/** @param {NamedTrigger} trigger */
function keyRow({ name, address, shortcut }) {
  const copies = [
    ['Address', address],
    ['Shortcut', shortcut],
  ].map(([label, text]) => {
    const copy = button(label, () => act(() => toClipboard(text, copy)), {
      label: `Copy the ${label.toLowerCase()} of ${name}`,
    });
    return copy;
  });
  return element('li', {}, element('span', { className: 'what' }, typed(name)), ...copies);
}

function reveal() {
  const shown = !byId('overlay-url').classList.toggle('secret');
  byId('show-url').textContent = shown ? 'Hide' : 'Show';
  byId('show-url').setAttribute('aria-pressed', String(shown));
}
