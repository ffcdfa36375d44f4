// @ts-check
// The JSON of the control API, as far as the panel reads it; streamer/api/schemas.py defines it.

/**
 * @typedef {object} ImageRequest
 * @property {string} id
 * @property {string} command
 * @property {string} text
 * @property {string} actor
 * @property {string} actor_id
 * @property {string} login
 * @property {string} role
 * @property {number | null} wait_s in how many seconds it is expected on air
 */

/** @typedef {{ name: string, state: string, detail: string }} Health */
/** @typedef {{ p50: number, p95: number, p99: number }} Percentiles in milliseconds */
/** @typedef {{ who: string, name: string, minutes_left: number | null, reason: string }} Ban null: permanent */
/** @typedef {{ id: string, layer: string, text: string }} PastPicture */
/** @typedef {{ name: string, address: string, shortcut: string }} NamedTrigger */

/**
 * @typedef {object} Model
 * @property {string} name
 * @property {string} here whether it fits
 * @property {number | null} seconds null: not measured
 * @property {string} earning_streams
 * @property {number} steps
 * @property {string} size
 * @property {boolean} edits
 * @property {string} memory
 * @property {number} download in GB
 * @property {string} licence
 */

/**
 * @typedef {object} HeldPicture
 * @property {number} number
 * @property {ImageRequest} request
 * @property {string} reason
 * @property {string} verdict names this very picture when it is approved
 * @property {number} seconds_left
 * @property {boolean} goes it goes on air by itself
 */

/**
 * @typedef {object} Status
 * @property {boolean} paused
 * @property {boolean} panicked
 * @property {Health} generator
 * @property {Record<string, string>} active
 * @property {Health[]} sources
 * @property {number} pages
 * @property {ImageRequest | null} drawing
 * @property {ImageRequest[]} pending
 * @property {Record<string, string | null>} on_air picture id by layer
 * @property {Record<string, Percentiles>} timings by pipeline step
 * @property {HeldPicture[]} held
 * @property {string} alarm
 * @property {Ban[]} bans
 */

export {};
