/** `timers`: the global ones, by import. */
export {
	clearImmediate,
	clearTimeout,
	clearTimeout as clearInterval,
	setImmediate,
	setInterval,
	setTimeout,
} from "../timers.ts";
